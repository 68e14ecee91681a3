"""Operators: those who run the service. What belongs to everybody is theirs, accounts are not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hbmlc_store.errors import NotFoundError
from hbmlc_store.key_rows import find_held, revoke
from hbmlc_store.key_text import OPERATOR_KIND, digest_of_key, make_key, prefix_of
from hbmlc_store.schema import OperatorKeyRow

__all__ = [
    "Operator",
    "authenticate_operator",
    "create_operator_key",
    "list_operator_keys",
    "revoke_operator_key",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One of those who run the service; no account is theirs, and no account's objects."""

    key_id: UUID

    request_id: str | None = None
    """The request that is being answered."""

    @property
    def actor(self) -> str:
        """Name in logs and in the audit trail."""
        return f"operator {self.key_id}"


def create_operator_key(
    tx: Session, *, name: str, key_secret: str, expires_at: datetime | None = None
) -> tuple[OperatorKeyRow, str]:
    """Make an operator's key; the second value is the key itself, shown now and never again."""
    key = make_key(OPERATOR_KIND)
    row = OperatorKeyRow(
        name=name,
        prefix=prefix_of(key),
        digest=digest_of_key(key, key_secret),
        expires_at=expires_at,
    )
    tx.add(row)
    tx.flush()
    return row, key


def authenticate_operator(tx: Session, key: str, *, key_secret: str) -> Operator | None:
    """Who holds this key; ``None`` where it is unknown, expired or revoked."""
    row = find_held(tx, OperatorKeyRow, key, kind=OPERATOR_KIND, key_secret=key_secret)
    return None if row is None else Operator(key_id=row.id)


def list_operator_keys(tx: Session) -> list[OperatorKeyRow]:
    """List the operators' keys, newest first."""
    return list(tx.scalars(select(OperatorKeyRow).order_by(OperatorKeyRow.id.desc())))


def revoke_operator_key(tx: Session, key_id: UUID) -> None:
    """Revoke an operator's key from now on; a second time changes nothing.

    Raises
    ------
    NotFoundError
        There is no such key.
    """
    if not revoke(tx, OperatorKeyRow, key_id):
        raise NotFoundError("no-such-key", "There is no operator's key with this id.")
