"""``/v1/models``: registered model versions and their aliases."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from hbmlc.schemas import ModelAlias, ModelAliasRequest, ModelVersion, Page
from hbmlc_service.auth import Caller, ModelWriter
from hbmlc_service.context import Context
from hbmlc_service.pagination import Paging
from hbmlc_service.problems import ProblemError, problem_responses
from hbmlc_service.views import show_alias, show_model
from hbmlc_store.aliases import AliasSetting, aliases_of, aliases_of_versions, set_alias
from hbmlc_store.audit import note_event
from hbmlc_store.registry import find_version, owner_of, page_of_versions
from hbmlc_store.schema import ModelVersionRow

__all__ = ["AliasName", "ModelName", "router"]

router = APIRouter(prefix="/v1/models", tags=["models"])

ModelName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
AliasName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
VersionNumber = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("", responses=problem_responses(422))
def list_all(
    context: Context,
    caller: Caller,
    paging: Paging,
) -> Page[ModelVersion]:
    """List the versions that the caller may use, newest first: shipped ones and own ones."""

    def use_case(tx: Session) -> Page[ModelVersion]:
        rows = page_of_versions(tx, caller.account_id, limit=paging.n_rows, before=paging.before)
        page, next_cursor = paging.cut(rows)
        aliases = aliases_of_versions(tx, [row.id for row in page])
        items = [show_model(row, aliases.get(row.id, [])) for row in page]
        return Page(items=items, next_cursor=next_cursor)

    return context.run(use_case)


@router.get("/{name}/versions/{version}", responses=problem_responses(404, 422))
def get_one(
    name: ModelName, version: VersionNumber, context: Context, caller: Caller
) -> ModelVersion:
    """Look at one version and its card."""
    return context.run(lambda tx: _show(tx, find_version(tx, caller.account_id, name, version)))


@router.get("/{name}/aliases", responses=problem_responses(404, 422))
def list_aliases(name: ModelName, context: Context, caller: Caller) -> Page[ModelAlias]:
    """List every setting of the model's aliases, newest first, with who set it and why."""

    def use_case(tx: Session) -> list[AliasSetting]:
        owner = owner_of(tx, caller.account_id, name)
        return aliases_of(tx, owner, name, with_history=True)

    return Page(items=[show_alias(setting) for setting in context.run(use_case)])


@router.put("/{name}/aliases/{alias}", responses=problem_responses(404, 422))
def put_alias(
    name: ModelName,
    alias: AliasName,
    asked: ModelAliasRequest,
    context: Context,
    caller: ModelWriter,
) -> ModelAlias:
    """Point an alias of the account's own model at a version.

    Shipped models serve everybody: their aliases belong to those who run the service.
    """

    def use_case(tx: Session) -> AliasSetting:
        owner = owner_of(tx, caller.account_id, name)
        if owner is None:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "operator-key-needed",
                f"{name} ships with the service and serves everybody: only those who run it move "
                "its aliases. Pin a version as name:version, or train a model of your own.",
            )
        note_event(tx, caller, "model-alias.set", f"{name}@{alias}")
        return set_alias(
            tx, owner, name, alias, version=asked.version, set_by=f"key {caller.key_id}"
        )

    return show_alias(context.run(use_case))


def _show(tx: Session, row: ModelVersionRow) -> ModelVersion:
    return show_model(row, aliases_of_versions(tx, [row.id]).get(row.id, []))
