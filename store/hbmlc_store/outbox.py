"""The outbox: a message commits with the change that it announces, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from hbmlc_store.schema import JsonObject, OutboxRow

__all__ = ["CHANNEL", "add_message", "oldest_message", "publish_batch"]

CHANNEL = "hbmlc_outbox"
"""PostgreSQL channel that is notified when a message commits."""


def add_message(tx: Session, *, queue: str, payload: JsonObject) -> None:
    """Put a message into the outbox and wake the relay at commit."""
    tx.add(OutboxRow(queue=queue, payload=payload))
    # Notifications with the same payload are merged by PostgreSQL within one transaction.
    tx.execute(text(f"NOTIFY {CHANNEL}"))


def publish_batch(
    tx: Session, publish: Callable[[str, JsonObject], None], *, limit: int = 100
) -> int:
    """Hand the oldest messages to ``publish`` and remove them; returns how many.

    Several relays may run: each skips the rows that another holds. When ``publish`` raises, the
    transaction rolls back and the messages stay: one may arrive twice, but never not at all.
    """
    rows = tx.scalars(
        select(OutboxRow).order_by(OutboxRow.id).limit(limit).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        publish(row.queue, row.payload)
    if rows:
        tx.execute(delete(OutboxRow).where(OutboxRow.id.in_([row.id for row in rows])))
    return len(rows)


def oldest_message(tx: Session) -> datetime | None:
    """When the oldest waiting message was written; ``None`` with an empty outbox."""
    return tx.scalar(select(func.min(OutboxRow.created_at)))
