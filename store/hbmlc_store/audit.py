"""The audit trail: who asked for which change, in the transaction of the change itself."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hbmlc_store.accounts import Identity
from hbmlc_store.operators import Operator
from hbmlc_store.schema import AuditRow, JsonObject

__all__ = ["list_events", "note_event", "note_operation"]


def note_event(
    tx: Session,
    caller: Identity,
    action: str,
    object_id: object = None,
    details: JsonObject | None = None,
) -> None:
    """Note a change that an account's key asked for."""
    _add(tx, caller, action, object_id, details, account_id=caller.account_id)


def note_operation(
    tx: Session,
    operator: Operator,
    action: str,
    object_id: object = None,
    *,
    account_id: UUID | None = None,
    details: JsonObject | None = None,
) -> None:
    """Note a change that an operator asked for, to an account or to what belongs to nobody."""
    _add(tx, operator, action, object_id, details, account_id=account_id)


def list_events(
    tx: Session, account_id: UUID | None, *, limit: int, before: UUID | None = None
) -> list[AuditRow]:
    """List an account's events, newest first; without an account, everybody's."""
    query = select(AuditRow)
    if account_id is not None:
        query = query.where(AuditRow.account_id == account_id)
    if before is not None:
        query = query.where(AuditRow.id < before)
    return list(tx.scalars(query.order_by(AuditRow.id.desc()).limit(limit)))


def _add(
    tx: Session,
    caller: Identity | Operator,
    action: str,
    object_id: object,
    details: JsonObject | None,
    *,
    account_id: UUID | None,
) -> None:
    tx.add(
        AuditRow(
            account_id=account_id,
            actor=caller.actor,
            action=action,
            object_id=None if object_id is None else str(object_id),
            request_id=caller.request_id,
            details=details,
        )
    )
