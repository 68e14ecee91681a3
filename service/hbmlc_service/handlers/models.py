"""``/v1/models``: registered model versions and their aliases."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from hbmlc.schemas import ModelAlias, ModelAliasRequest, ModelVersion, Page, Scope
from hbmlc_service.auth import Caller, ModelWriter, require
from hbmlc_service.context import Context
from hbmlc_service.problems import problem_responses
from hbmlc_service.views import show_alias, show_model
from hbmlc_store.aliases import AliasSetting, aliases_of, set_alias
from hbmlc_store.registry import find_version, list_versions, owner_of
from hbmlc_store.schema import ModelVersionRow

__all__ = ["router"]

router = APIRouter(prefix="/v1/models", tags=["models"])

AliasName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
VersionNumber = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("", responses=problem_responses())
def list_all(context: Context, caller: Caller) -> Page[ModelVersion]:
    """List every version that the caller may use: the shipped ones and the account's own."""

    def use_case(tx: Session) -> list[ModelVersion]:
        return [_show(tx, row) for row in list_versions(tx, caller.account_id)]

    return Page(items=context.run(use_case))


@router.get("/{name}/versions/{version}", responses=problem_responses(404))
def get_one(name: str, version: VersionNumber, context: Context, caller: Caller) -> ModelVersion:
    """Look at one version and its card."""
    return context.run(lambda tx: _show(tx, find_version(tx, caller.account_id, name, version)))


@router.get("/{name}/aliases", responses=problem_responses(404))
def list_aliases(name: str, context: Context, caller: Caller) -> Page[ModelAlias]:
    """List every setting of the model's aliases, newest first, with who set it and why."""

    def use_case(tx: Session) -> list[AliasSetting]:
        owner = owner_of(tx, caller.account_id, name)
        return aliases_of(tx, owner, name, with_history=True)

    return Page(items=[show_alias(setting) for setting in context.run(use_case)])


@router.put("/{name}/aliases/{alias}", responses=problem_responses(404, 422))
def put_alias(
    name: str, alias: AliasName, asked: ModelAliasRequest, context: Context, caller: ModelWriter
) -> ModelAlias:
    """Point an alias at a version; those of shipped models serve everybody and need `admin`."""

    def use_case(tx: Session) -> AliasSetting:
        owner = owner_of(tx, caller.account_id, name)
        if owner is None:
            require(caller, Scope.ADMIN)
        return set_alias(
            tx, owner, name, alias, version=asked.version, set_by=f"key {caller.key_id}"
        )

    return show_alias(context.run(use_case))


def _show(tx: Session, row: ModelVersionRow) -> ModelVersion:
    settings = aliases_of(tx, row.account_id, row.name)
    return show_model(
        row, sorted(found.alias for found in settings if found.version == row.version)
    )
