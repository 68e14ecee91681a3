"""``/v1/models``: registered model versions and their aliases."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session

from hbmlc.schemas import ModelAlias, ModelAliasRequest, ModelVersion, Page
from hbmlc_service.auth import Caller, ModelWriter
from hbmlc_service.context import Context
from hbmlc_service.problems import problem_responses
from hbmlc_service.views import show_model
from hbmlc_store.registry import aliases_of, find_version, list_versions, set_alias
from hbmlc_store.schema import ModelVersionRow

__all__ = ["router"]

router = APIRouter(prefix="/v1/models", tags=["models"])

AliasName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
VersionNumber = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("", responses=problem_responses())
def list_all(context: Context, caller: Caller) -> Page[ModelVersion]:
    """List every version of every model."""
    del caller
    return Page(items=context.run(lambda tx: [_show(tx, row) for row in list_versions(tx)]))


@router.get("/{name}/versions/{version}", responses=problem_responses(404))
def get_one(name: str, version: VersionNumber, context: Context, caller: Caller) -> ModelVersion:
    """Look at one version and its card."""
    del caller
    return context.run(lambda tx: _show(tx, find_version(tx, name, version)))


@router.get("/{name}/aliases", responses=problem_responses())
def list_aliases(name: str, context: Context, caller: Caller) -> Page[ModelAlias]:
    """List every setting of the model's aliases, newest first."""
    del caller
    rows = context.run(lambda tx: aliases_of(tx, name, with_history=True))
    return Page(
        items=[
            ModelAlias(
                name=row.name, alias=row.alias, version=row.version, updated_at=row.created_at
            )
            for row in rows
        ]
    )


@router.put("/{name}/aliases/{alias}", responses=problem_responses(404, 422))
def put_alias(
    name: str, alias: AliasName, asked: ModelAliasRequest, context: Context, caller: ModelWriter
) -> ModelAlias:
    """Point an alias at a version."""
    del caller

    def use_case(tx: Session) -> ModelAlias:
        row = set_alias(tx, name, alias, version=asked.version)
        tx.refresh(row)
        return ModelAlias(
            name=row.name, alias=row.alias, version=row.version, updated_at=row.created_at
        )

    return context.run(use_case)


def _show(tx: Session, row: ModelVersionRow) -> ModelVersion:
    aliases = [found.alias for found in aliases_of(tx, row.name) if found.version == row.version]
    return show_model(row, sorted(aliases))
