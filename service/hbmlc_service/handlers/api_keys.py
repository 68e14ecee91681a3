"""``/v1/api-keys`` and ``/v1/usage``: what concerns the caller's own account."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from hbmlc.schemas import ApiKey, ApiKeyRequest, Page, UsageRecord
from hbmlc_service.auth import Admin, Caller
from hbmlc_service.context import Context, ServiceContext
from hbmlc_service.idempotency import (
    IdempotencyKey,
    create_once,
    digest_of,
    refuse_repetition,
)
from hbmlc_service.pagination import Paging
from hbmlc_service.problems import problem_responses
from hbmlc_service.views import show_api_key, show_usage
from hbmlc_store.accounts import create_api_key, list_api_keys, revoke_api_key, rotate_api_key
from hbmlc_store.audit import note_event
from hbmlc_store.usage import list_usage

__all__ = ["issue_api_key", "router"]

router = APIRouter(prefix="/v1", tags=["account"])

Overlap = Annotated[
    int, Query(ge=0, le=7 * 86_400, description="Seconds for which the old key stays good.")
]


@router.post("/api-keys", status_code=201, responses=problem_responses(409, 422))
def create(
    asked: ApiKeyRequest,
    context: Context,
    caller: Admin,
    idempotency_key: IdempotencyKey = None,
) -> ApiKey:
    """Make an API key; the answer is the only one that shows it."""

    def use_case(tx: Session) -> ApiKey:
        def make() -> tuple[UUID, ApiKey]:
            made = issue_api_key(tx, context, caller.account_id, asked)
            note_event(tx, caller, "api-key.create", made.id)
            return made.id, made

        return create_once(
            tx,
            caller.account_id,
            idempotency_key,
            request_digest=digest_of("api-key", asked),
            create=make,
            find=refuse_repetition,
        )

    return context.run(use_case)


def issue_api_key(
    tx: Session, context: ServiceContext, account_id: UUID, asked: ApiKeyRequest
) -> ApiKey:
    """Make a key as asked for; what is returned is the only document that shows it."""
    row, key = create_api_key(
        tx,
        account_id,
        name=asked.name,
        scopes=set(asked.scopes),
        key_secret=context.settings.key_secret.get_secret_value(),
        expires_at=asked.expires_at,
    )
    tx.refresh(row)
    return show_api_key(row, secret=key)


@router.get("/api-keys", responses=problem_responses(422))
def list_all(
    context: Context,
    caller: Admin,
    paging: Paging,
) -> Page[ApiKey]:
    """List the account's keys, newest first."""
    rows = context.run(
        lambda tx: list_api_keys(tx, caller.account_id, limit=paging.n_rows, before=paging.before)
    )
    return paging.of(rows, show_api_key)


@router.post("/api-keys/current/rotate", status_code=201, responses=problem_responses(404, 422))
def rotate(context: Context, caller: Caller, overlap: Overlap = 3600) -> ApiKey:
    """Make a key in the place of the one that asks: same scopes, same end; the old one ends soon.

    Any key may renew itself, so that a machine needs no key that can do more than its work.
    """

    def use_case(tx: Session) -> ApiKey:
        row, key = rotate_api_key(
            tx,
            caller.account_id,
            caller.key_id,
            key_secret=context.settings.key_secret.get_secret_value(),
            overlap=timedelta(seconds=overlap),
        )
        note_event(tx, caller, "api-key.rotate", row.id)
        tx.refresh(row)
        return show_api_key(row, secret=key)

    return context.run(use_case)


@router.delete("/api-keys/{key_id}", status_code=204, responses=problem_responses(404, 422))
def revoke(key_id: UUID, context: Context, caller: Admin) -> None:
    """Revoke a key, from the next request on."""

    def use_case(tx: Session) -> None:
        revoke_api_key(tx, caller.account_id, key_id)
        note_event(tx, caller, "api-key.revoke", key_id)

    context.run(use_case)


@router.get("/usage", responses=problem_responses(422))
def list_records(
    context: Context,
    caller: Caller,
    paging: Paging,
) -> Page[UsageRecord]:
    """List metered use, newest first: one record a job."""
    rows = context.run(
        lambda tx: list_usage(tx, caller.account_id, limit=paging.n_rows, before=paging.before)
    )
    return paging.of(rows, show_usage, lambda row: row.job_id)
