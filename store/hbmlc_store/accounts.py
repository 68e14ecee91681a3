"""Accounts and API keys.

A key reads ``hbk_<prefix>_<secret><checksum>``: the prefix finds the row, the checksum tells a
typing mistake from a forgery without asking the database, and only an HMAC of the whole is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hbmlc.schemas import Scope
from hbmlc_store.errors import NotFoundError
from hbmlc_store.ids import new_id
from hbmlc_store.schema import AccountRow, ApiKeyRow

__all__ = [
    "Identity",
    "authenticate",
    "create_api_key",
    "ensure_account",
    "is_well_formed",
    "list_api_keys",
    "revoke_api_key",
]

_ALPHABET = string.ascii_letters + string.digits
_PREFIX_LENGTH = 10
_SECRET_LENGTH = 40
_CHECKSUM_LENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who calls, and what the key allows."""

    account_id: UUID
    key_id: UUID
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """Whether the key carries the scope; ``admin`` carries all."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


def ensure_account(tx: Session, name: str) -> UUID:
    """Find the account of this name, or make it."""
    made = insert(AccountRow).values(id=new_id(), name=name).on_conflict_do_nothing()
    tx.execute(made)
    return tx.scalars(select(AccountRow.id).where(AccountRow.name == name)).one()


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
    prefix = _random_text(_PREFIX_LENGTH)
    body = f"hbk_{prefix}_{_random_text(_SECRET_LENGTH)}"
    key = body + _checksum(body)
    row = ApiKeyRow(
        account_id=account_id,
        name=name,
        prefix=prefix,
        digest=_digest(key, key_secret),
        scopes=sorted(scope.value for scope in scopes),
        expires_at=expires_at,
    )
    tx.add(row)
    tx.flush()
    return row, key


def is_well_formed(key: str) -> bool:
    """Whether the text has the shape and the checksum of a key; needs no database."""
    parts = key.split("_")
    if len(parts) != 3 or parts[0] != "hbk" or len(parts[1]) != _PREFIX_LENGTH:  # noqa: PLR2004
        return False
    body, checksum = key[:-_CHECKSUM_LENGTH], key[-_CHECKSUM_LENGTH:]
    return key.isascii() and hmac.compare_digest(_checksum(body), checksum)


def authenticate(tx: Session, key: str, *, key_secret: str) -> Identity | None:
    """Who holds this key; ``None`` where it is unknown, expired or revoked."""
    if not is_well_formed(key):
        return None
    row = tx.scalars(
        select(ApiKeyRow).where(
            ApiKeyRow.prefix == key.split("_")[1],
            ApiKeyRow.revoked_at.is_(None),
            or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > func.now()),
        )
    ).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, _digest(key, key_secret)):
        return None
    scopes = frozenset(Scope(scope) for scope in row.scopes)
    return Identity(account_id=row.account_id, key_id=row.id, scopes=scopes)


def list_api_keys(tx: Session, account_id: UUID) -> list[ApiKeyRow]:
    """List an account's keys, newest first."""
    rows = select(ApiKeyRow).where(ApiKeyRow.account_id == account_id)
    return list(tx.scalars(rows.order_by(ApiKeyRow.id.desc())))


def revoke_api_key(tx: Session, account_id: UUID, key_id: UUID) -> None:
    """Revoke a key from now on; a second time changes nothing.

    Raises
    ------
    NotFoundError
        The account has no such key.
    """
    changed = tx.scalars(
        update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.account_id == account_id)
        .values(revoked_at=func.coalesce(ApiKeyRow.revoked_at, func.now()))
        .returning(ApiKeyRow.id)
    ).one_or_none()
    if changed is None:
        raise NotFoundError(
            "no-such-key", "There is no such API key; GET /v1/api-keys lists yours."
        )


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def _digest(key: str, key_secret: str) -> str:
    return hmac.new(key_secret.encode(), key.encode(), hashlib.sha256).hexdigest()
