"""``/admin/v1``: what those who run the service do. An account's key opens nothing here."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from sqlalchemy.orm import Session

from hbmlc.schemas import (
    Account,
    AccountRequest,
    ApiKey,
    ApiKeyRequest,
    AuditEvent,
    ModelAlias,
    ModelAliasRequest,
    Page,
)
from hbmlc_service.auth import OperatorCaller
from hbmlc_service.context import Context
from hbmlc_service.handlers.api_keys import issue_api_key
from hbmlc_service.handlers.models import AliasName, ModelName
from hbmlc_service.idempotency import (
    IdempotencyKey,
    create_once,
    digest_of,
    refuse_repetition,
)
from hbmlc_service.pagination import Paging
from hbmlc_service.problems import problem_responses
from hbmlc_service.views import show_account, show_alias, show_event
from hbmlc_store.accounts import (
    create_account,
    find_account,
    list_accounts,
    revoke_api_key,
)
from hbmlc_store.aliases import AliasSetting, set_alias
from hbmlc_store.audit import list_events, note_operation

__all__ = ["router"]

router = APIRouter(prefix="/admin/v1", tags=["admin"])

AccountId = Annotated[UUID, Path(description="Account, as GET /admin/v1/accounts lists it.")]


@router.get("/accounts", responses=problem_responses(422))
def list_all_accounts(
    context: Context,
    _: OperatorCaller,
    paging: Paging,
) -> Page[Account]:
    """List accounts, newest first."""
    rows = context.run(lambda tx: list_accounts(tx, limit=paging.n_rows, before=paging.before))
    return paging.of(rows, show_account)


@router.post("/accounts", status_code=201, responses=problem_responses(409, 422))
def create_one_account(
    asked: AccountRequest, context: Context, operator: OperatorCaller
) -> Account:
    """Make an account."""

    def use_case(tx: Session) -> Account:
        row = create_account(tx, asked.name)
        note_operation(tx, operator, "account.create", row.id, account_id=row.id)
        return show_account(row)

    return context.run(use_case)


@router.post(
    "/accounts/{account_id}/api-keys", status_code=201, responses=problem_responses(404, 409, 422)
)
def create_key_of_account(
    account_id: AccountId,
    asked: ApiKeyRequest,
    context: Context,
    operator: OperatorCaller,
    idempotency_key: IdempotencyKey = None,
) -> ApiKey:
    """Make a key of an account; the answer is the only one that shows it."""

    def use_case(tx: Session) -> ApiKey:
        find_account(tx, account_id)

        def make() -> tuple[UUID, ApiKey]:
            made = issue_api_key(tx, context, account_id, asked)
            note_operation(tx, operator, "api-key.create", made.id, account_id=account_id)
            return made.id, made

        return create_once(
            tx,
            account_id,
            # The account's own keys of that name are others.
            None if idempotency_key is None else f"operator {idempotency_key}",
            request_digest=digest_of("api-key", asked),
            create=make,
            find=refuse_repetition,
        )

    return context.run(use_case)


@router.delete(
    "/accounts/{account_id}/api-keys/{key_id}",
    status_code=204,
    responses=problem_responses(404, 422),
)
def revoke_key_of_account(
    account_id: AccountId, key_id: UUID, context: Context, operator: OperatorCaller
) -> None:
    """Revoke a key of an account, from the next request on."""

    def use_case(tx: Session) -> None:
        revoke_api_key(tx, account_id, key_id)
        note_operation(tx, operator, "api-key.revoke", key_id, account_id=account_id)

    context.run(use_case)


@router.put("/models/{name}/aliases/{alias}", responses=problem_responses(404, 422))
def put_shipped_alias(
    name: ModelName,
    alias: AliasName,
    asked: ModelAliasRequest,
    context: Context,
    operator: OperatorCaller,
) -> ModelAlias:
    """Point an alias of a shipped model at a version, for everybody."""

    def use_case(tx: Session) -> AliasSetting:
        note_operation(tx, operator, "model-alias.set", f"{name}@{alias}")
        return set_alias(tx, None, name, alias, version=asked.version, set_by=operator.actor)

    return show_alias(context.run(use_case))


@router.get("/audit-events", responses=problem_responses(422))
def list_all_changes(
    context: Context,
    _: OperatorCaller,
    paging: Paging,
    account_id: Annotated[UUID | None, Query(description="Those of one account only.")] = None,
) -> Page[AuditEvent]:
    """List the changes that anybody asked for, newest first."""
    rows = context.run(
        lambda tx: list_events(tx, account_id, limit=paging.n_rows, before=paging.before)
    )
    return paging.of(rows, show_event)
