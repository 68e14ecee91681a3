"""Idempotency keys: the same key with the same body gives the same object."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hbmlc_store.errors import ConflictError, InvalidError
from hbmlc_store.schema import IdempotencyRow

__all__ = ["find_answered", "forget_old", "remember"]

KEPT_FOR = timedelta(hours=24)


def find_answered(tx: Session, account_id: UUID, key: str, *, request_digest: str) -> UUID | None:
    """Find the object that this key made before; ``None`` for a new key.

    Holds the key until the transaction ends, so that a second request with it cannot overtake.

    Raises
    ------
    ConflictError
        Another request with the same key is on its way.
    InvalidError
        The key was used with another body.
    """
    lock = int.from_bytes(hashlib.sha256(f"{account_id}/{key}".encode()).digest()[:8], signed=True)
    if not tx.scalar(select(func.pg_try_advisory_xact_lock(lock))):
        raise ConflictError(
            "idempotency-in-flight",
            "A request with this Idempotency-Key is being answered; repeat in a second.",
        )
    row = tx.get(IdempotencyRow, (account_id, key))
    if row is None:
        return None
    if row.request_digest != request_digest:
        raise InvalidError(
            "idempotency-key-reused",
            "This Idempotency-Key was used with another body; take a new key.",
        )
    return row.object_id


def remember(
    tx: Session, account_id: UUID, key: str, *, request_digest: str, object_id: UUID
) -> None:
    """Remember what the key made; commits with the object itself."""
    tx.add(
        IdempotencyRow(
            account_id=account_id, key=key, request_digest=request_digest, object_id=object_id
        )
    )


def forget_old(tx: Session) -> None:
    """Forget the keys of more than a day ago."""
    tx.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < func.now() - KEPT_FOR))
