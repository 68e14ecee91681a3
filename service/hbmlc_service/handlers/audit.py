"""``/v1/audit-events``: who changed what in the caller's account."""

from __future__ import annotations

from fastapi import APIRouter

from hbmlc.schemas import AuditEvent, Page
from hbmlc_service.auth import Admin
from hbmlc_service.context import Context
from hbmlc_service.pagination import Paging
from hbmlc_service.problems import problem_responses
from hbmlc_service.views import show_event
from hbmlc_store.audit import list_events

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["account"])


@router.get("/audit-events", responses=problem_responses(422))
def list_changes(
    context: Context,
    caller: Admin,
    paging: Paging,
) -> Page[AuditEvent]:
    """List the changes that were asked for in the account, newest first."""
    rows = context.run(
        lambda tx: list_events(tx, caller.account_id, limit=paging.n_rows, before=paging.before)
    )
    return paging.of(rows, show_event)
