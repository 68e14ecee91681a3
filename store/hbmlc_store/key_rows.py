"""Rows of keys, an account's or an operator's: found by the key itself, valid or not, revoked."""

from __future__ import annotations

import hmac
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from hbmlc_store.key_text import digest_of_key, is_well_formed, prefix_of
from hbmlc_store.schema import ApiKeyRow, OperatorKeyRow

__all__ = ["find_held", "is_valid_now", "revoke", "valid_now"]

KeyT = TypeVar("KeyT", ApiKeyRow, OperatorKeyRow)


def valid_now(table: type[KeyT]) -> ColumnElement[bool]:
    """Condition of a key that is neither revoked nor expired."""
    has_time = or_(table.expires_at.is_(None), table.expires_at > func.now())
    return and_(table.revoked_at.is_(None), has_time)


def find_held(
    tx: Session, table: type[KeyT], key: str, *, kind: str, key_secret: str
) -> KeyT | None:
    """Row of a key that somebody shows; ``None`` where it is unknown, expired or revoked."""
    if not is_well_formed(key, kind):
        return None
    row = tx.scalars(
        select(table).where(table.prefix == prefix_of(key), valid_now(table))
    ).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest_of_key(key, key_secret)):
        return None
    return row


def is_valid_now(tx: Session, table: type[KeyT], key_id: UUID) -> bool:
    """Whether a key that was valid before still is."""
    return bool(tx.scalar(select(exists().where(table.id == key_id, valid_now(table)))))


def revoke(tx: Session, table: type[KeyT], key_id: UUID) -> bool:
    """Revoke a key from now on, a second time without effect; False where there is none."""
    changed = tx.scalars(
        update(table)
        .where(table.id == key_id)
        .values(revoked_at=func.coalesce(table.revoked_at, func.now()))
        .returning(table.id)
    ).one_or_none()
    return changed is not None
