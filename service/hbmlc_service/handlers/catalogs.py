"""``/v1/catalogs``: list, look at, remap and delete catalogues."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session

from hbmlc.schemas import Catalog, CatalogState, ColumnMapping, Page
from hbmlc_service.auth import Caller, CatalogWriter
from hbmlc_service.context import Context
from hbmlc_service.pagination import Paging
from hbmlc_service.problems import problem_responses
from hbmlc_service.views import show_catalog
from hbmlc_service.waiting import Wait, poll
from hbmlc_store.audit import note_event
from hbmlc_store.catalogs import find_catalog, list_catalogs
from hbmlc_store.registry import recommended_model
from hbmlc_store.uploads import delete_catalog, ingest_fraction, remap

__all__ = ["router"]

router = APIRouter(prefix="/v1/catalogs", tags=["catalogs"])


@router.get("", responses=problem_responses(422))
def list_all(
    context: Context,
    caller: Caller,
    paging: Paging,
) -> Page[Catalog]:
    """List catalogues, newest first."""
    rows = context.run(
        lambda tx: list_catalogs(tx, caller.account_id, limit=paging.n_rows, before=paging.before)
    )
    return paging.of(rows, show_catalog)


@router.get("/{catalog_id}", responses=problem_responses(404, 422))
async def get_one(
    catalog_id: UUID, context: Context, caller: Caller, request: Request, wait: Wait = 0
) -> Catalog:
    """Look at a catalogue; ``wait`` waits for the end of its ingest."""

    def look(tx: Session) -> Catalog:
        row = find_catalog(tx, caller.account_id, catalog_id)
        return show_catalog(
            row,
            progress=ingest_fraction(tx, row),
            recommended_model=recommended_model(tx, row),
        )

    return await poll(
        context,
        request,
        look,
        object_id=catalog_id,
        is_settled=lambda catalog: catalog.state is not CatalogState.INGESTING,
        wait=wait,
    )


@router.patch("/{catalog_id}/mapping", responses=problem_responses(404, 409, 422))
def patch_mapping(
    catalog_id: UUID, mapping: ColumnMapping, context: Context, caller: CatalogWriter
) -> Catalog:
    """Correct the column mapping; the content is read again."""

    def use_case(tx: Session) -> Catalog:
        row = remap(tx, caller.account_id, catalog_id, mapping, request_id=caller.request_id)
        note_event(tx, caller, "catalog.remap", catalog_id)
        return show_catalog(row)

    return context.run(use_case)


@router.delete("/{catalog_id}", status_code=204, responses=problem_responses(404, 409, 422))
def delete_one(catalog_id: UUID, context: Context, caller: CatalogWriter) -> None:
    """Delete a catalogue and its content; results made from it stay."""

    def use_case(tx: Session) -> None:
        delete_catalog(tx, caller.account_id, catalog_id)
        note_event(tx, caller, "catalog.delete", catalog_id)

    context.run(use_case)
