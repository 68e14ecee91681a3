"""``/v1/api-keys`` and ``/v1/usage``: what concerns the caller's own account."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session

from hbmlc.schemas import ApiKey, ApiKeyRequest, Page, Phase, UsageRecord
from hbmlc_service.auth import Admin, Caller
from hbmlc_service.context import Context
from hbmlc_service.pagination import Limit
from hbmlc_service.problems import problem_responses
from hbmlc_service.views import show_api_key
from hbmlc_store.accounts import create_api_key, list_api_keys, revoke_api_key
from hbmlc_store.usage import list_usage

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["account"])


@router.post("/api-keys", status_code=201, responses=problem_responses(422))
def create(asked: ApiKeyRequest, context: Context, caller: Admin) -> ApiKey:
    """Make an API key; the answer is the only one that shows it."""

    def use_case(tx: Session) -> ApiKey:
        row, key = create_api_key(
            tx,
            caller.account_id,
            name=asked.name,
            scopes=asked.scopes,
            key_secret=context.settings.key_secret.get_secret_value(),
            expires_at=asked.expires_at,
        )
        tx.refresh(row)
        return show_api_key(row, secret=key)

    return context.run(use_case)


@router.get("/api-keys", responses=problem_responses())
def list_all(context: Context, caller: Admin) -> Page[ApiKey]:
    """List the account's keys, newest first."""
    rows = context.run(lambda tx: list_api_keys(tx, caller.account_id))
    return Page(items=[show_api_key(row) for row in rows])


@router.delete("/api-keys/{key_id}", status_code=204, responses=problem_responses(404))
def revoke(key_id: UUID, context: Context, caller: Admin) -> None:
    """Revoke a key, from the next request on."""
    context.run(lambda tx: revoke_api_key(tx, caller.account_id, key_id))


@router.get("/usage", responses=problem_responses())
def list_records(context: Context, caller: Caller, limit: Limit = 200) -> Page[UsageRecord]:
    """List metered use, newest first: one record a job."""
    rows = context.run(lambda tx: list_usage(tx, caller.account_id, limit=limit))
    return Page(
        items=[
            UsageRecord(
                calibration_id=row.job_id,
                kind="training" if row.kind == "training" else "calibration",
                phase=Phase(row.phase),
                n_galaxies=row.n_galaxies,
                n_tiles=row.n_tiles,
                seconds=row.seconds,
                recorded_at=row.created_at,
            )
            for row in rows
        ]
    )
