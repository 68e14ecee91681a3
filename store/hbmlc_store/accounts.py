"""Accounts and their API keys."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hbmlc.schemas import Scope
from hbmlc_store.errors import ConflictError, NotFoundError
from hbmlc_store.ids import new_id
from hbmlc_store.key_rows import find_held, is_valid_now, revoke, valid_now
from hbmlc_store.key_text import ACCOUNT_KIND, digest_of_key, make_key, prefix_of
from hbmlc_store.schema import AccountRow, ApiKeyRow

__all__ = [
    "Identity",
    "authenticate",
    "create_account",
    "create_api_key",
    "ensure_account",
    "find_account",
    "find_api_key",
    "is_still_valid",
    "list_accounts",
    "list_api_keys",
    "revoke_api_key",
    "rotate_api_key",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who calls, and what the key allows within its account."""

    account_id: UUID
    key_id: UUID
    scopes: frozenset[Scope]

    request_id: str | None = None
    """The request that is being answered."""

    @property
    def actor(self) -> str:
        """Name in logs and in the audit trail."""
        return f"key {self.key_id}"

    def may(self, scope: Scope) -> bool:
        """Whether the key carries the scope; ``admin`` carries all, within its account."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


def ensure_account(tx: Session, name: str) -> UUID:
    """Find the account of this name, or make it."""
    made = insert(AccountRow).values(id=new_id(), name=name).on_conflict_do_nothing()
    tx.execute(made)
    return tx.scalars(select(AccountRow.id).where(AccountRow.name == name)).one()


def create_account(tx: Session, name: str) -> AccountRow:
    """Make a new account.

    Raises
    ------
    ConflictError
        There is one of this name (``account-exists``).
    """
    made = tx.execute(
        insert(AccountRow)
        .values(id=new_id(), name=name)
        .on_conflict_do_nothing()
        .returning(AccountRow.id)
    ).scalar_one_or_none()
    if made is None:
        raise ConflictError("account-exists", "There is an account of this name already.")
    return tx.get_one(AccountRow, made)


def find_account(tx: Session, account_id: UUID) -> AccountRow:
    """Find an account.

    Raises
    ------
    NotFoundError
        There is none.
    """
    row = tx.get(AccountRow, account_id)
    if row is None:
        raise NotFoundError(
            "no-such-account", "There is no such account; GET /admin/v1/accounts lists them."
        )
    return row


def list_accounts(tx: Session, *, limit: int, before: UUID | None = None) -> list[AccountRow]:
    """List accounts, newest first, from before an id on."""
    query = select(AccountRow)
    if before is not None:
        query = query.where(AccountRow.id < before)
    return list(tx.scalars(query.order_by(AccountRow.id.desc()).limit(limit)))


def create_api_key(
    tx: Session,
    account_id: UUID,
    *,
    name: str,
    scopes: Collection[Scope],
    key_secret: str,
    expires_at: datetime | None = None,
) -> tuple[ApiKeyRow, str]:
    """Make a key; the second value is the key itself, which is shown now and never again."""
    key = make_key(ACCOUNT_KIND)
    row = ApiKeyRow(
        account_id=account_id,
        name=name,
        prefix=prefix_of(key),
        digest=digest_of_key(key, key_secret),
        scopes=sorted(scope.value for scope in scopes),
        expires_at=expires_at,
    )
    tx.add(row)
    tx.flush()
    return row, key


def rotate_api_key(
    tx: Session, account_id: UUID, key_id: UUID, *, key_secret: str, overlap: timedelta
) -> tuple[ApiKeyRow, str]:
    """Make a key in the place of another: same name, scopes and end; the old one ends soon.

    Raises
    ------
    NotFoundError
        The account has no such key, or it is revoked or expired.
    """
    old = tx.scalars(
        select(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.account_id == account_id, valid_now(ApiKeyRow))
        .with_for_update()
    ).one_or_none()
    if old is None:
        raise _no_such_key()
    made = create_api_key(
        tx,
        account_id,
        name=old.name,
        scopes=[Scope(scope) for scope in old.scopes],
        key_secret=key_secret,
        expires_at=old.expires_at,
    )
    # LEAST ignores NULL: a key without an end gets one, one that ends sooner keeps its own.
    end = func.least(ApiKeyRow.expires_at, func.now() + overlap)
    tx.execute(update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(expires_at=end))
    return made


def authenticate(tx: Session, key: str, *, key_secret: str) -> Identity | None:
    """Who holds this key; ``None`` where it is unknown, expired or revoked."""
    row = find_held(tx, ApiKeyRow, key, kind=ACCOUNT_KIND, key_secret=key_secret)
    if row is None:
        return None
    scopes = frozenset(Scope(scope) for scope in row.scopes)
    return Identity(account_id=row.account_id, key_id=row.id, scopes=scopes)


def is_still_valid(tx: Session, caller: Identity) -> bool:
    """Whether the key of somebody who was let in before still is neither revoked nor expired."""
    return is_valid_now(tx, ApiKeyRow, caller.key_id)


def list_api_keys(
    tx: Session, account_id: UUID, *, limit: int, before: UUID | None = None
) -> list[ApiKeyRow]:
    """List an account's keys, newest first, from before an id on."""
    query = select(ApiKeyRow).where(ApiKeyRow.account_id == account_id)
    if before is not None:
        query = query.where(ApiKeyRow.id < before)
    return list(tx.scalars(query.order_by(ApiKeyRow.id.desc()).limit(limit)))


def find_api_key(tx: Session, account_id: UUID, key_id: UUID) -> ApiKeyRow:
    """Find one key of an account.

    Raises
    ------
    NotFoundError
        The account has no such key.
    """
    row = tx.scalars(
        select(ApiKeyRow).where(ApiKeyRow.id == key_id, ApiKeyRow.account_id == account_id)
    ).one_or_none()
    if row is None:
        raise _no_such_key()
    return row


def revoke_api_key(tx: Session, account_id: UUID, key_id: UUID) -> None:
    """Revoke a key from now on; a second time changes nothing.

    Raises
    ------
    NotFoundError
        The account has no such key.
    """
    find_api_key(tx, account_id, key_id)
    revoke(tx, ApiKeyRow, key_id)


def _no_such_key() -> NotFoundError:
    return NotFoundError("no-such-key", "There is no such API key; GET /v1/api-keys lists yours.")
