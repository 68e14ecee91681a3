"""Ways in: ``POST /v1/catalogs`` with a file or without, ``PUT …/content`` with a stream."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from hbmlc.schemas import Catalog, CatalogRequest
from hbmlc_service.auth import CatalogWriter
from hbmlc_service.catalog_form import FORM_SCHEMA, read_catalog_form
from hbmlc_service.content_digest import ContentDigest, held_to_digest, read_content_digest
from hbmlc_service.context import Context, ServiceContext
from hbmlc_service.idempotency import IdempotencyKey, create_once, digest_of
from hbmlc_service.parsing import parse_document
from hbmlc_service.problems import ProblemError, problem_responses
from hbmlc_service.upload import Upload
from hbmlc_service.views import show_catalog
from hbmlc_store.accounts import Identity
from hbmlc_store.audit import note_event
from hbmlc_store.catalogs import add_catalog, find_catalog
from hbmlc_store.ids import new_id
from hbmlc_store.objects import Stored
from hbmlc_store.schema import CatalogRow
from hbmlc_store.uploads import check_wants_content, receive_content

__all__ = ["router"]

router = APIRouter(prefix="/v1/catalogs", tags=["catalogs"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/CatalogRequest"}},
            "multipart/form-data": {"schema": FORM_SCHEMA},
        },
    }
}
_CONTENT = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary", "minLength": 1}
            }
        },
    }
}


@router.post(
    "", status_code=201, openapi_extra=_BODY, responses=problem_responses(409, 415, 422, 507)
)
async def create(
    request: Request,
    response: Response,
    context: Context,
    caller: CatalogWriter,
    idempotency_key: IdempotencyKey = None,
    content_digest: ContentDigest = None,
) -> Catalog:
    """Create a catalogue: with its file (multipart), or announced (JSON) for a later PUT."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    checked = held_to_digest(request, read_content_digest(content_digest))
    if media_type == "multipart/form-data":
        row = await _create_with_file(checked, context, caller, idempotency_key)
    elif media_type == "application/json":
        row = await _announce(checked, context, caller, idempotency_key)
    else:
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Send application/json, or multipart/form-data with the part 'file'.",
        )
    response.headers["Location"] = f"/v1/catalogs/{row.id}"
    return show_catalog(row)


@router.put(
    "/{catalog_id}/content",
    status_code=202,
    openapi_extra=_CONTENT,
    responses=problem_responses(404, 409, 415, 422, 507),
)
async def put_content(
    catalog_id: UUID,
    request: Request,
    context: Context,
    caller: CatalogWriter,
    content_digest: ContentDigest = None,
) -> Catalog:
    """Stream a catalogue's content; it is read as soon as it is whole."""
    _refuse_other_than_content(request)
    expected = read_content_digest(content_digest)
    await context.arun(lambda tx: check_wants_content(tx, caller.account_id, catalog_id))
    upload = Upload(context, catalog_id)
    stored = await upload.store(request.stream(), expected_digest=expected)

    def use_case(tx: Session) -> CatalogRow:
        row = receive_content(
            tx,
            caller.account_id,
            catalog_id,
            stored,
            key=upload.key,
            request_id=caller.request_id,
        )
        note_event(tx, caller, "catalog.upload", catalog_id)
        return row

    return show_catalog(await upload.hand_over(use_case))


async def _announce(
    request: Request, context: ServiceContext, caller: Identity, key: str | None
) -> CatalogRow:
    asked = parse_document(CatalogRequest, await request.body())

    def use_case(tx: Session) -> CatalogRow:
        def make() -> tuple[UUID, CatalogRow]:
            row = add_catalog(tx, caller.account_id, name=asked.name, mapping=asked.mapping)
            note_event(tx, caller, "catalog.create", row.id)
            return row.id, row

        return create_once(
            tx,
            caller.account_id,
            key,
            request_digest=digest_of("catalog", asked),
            create=make,
            find=lambda found: find_catalog(tx, caller.account_id, found),
        )

    return await context.arun(use_case)


async def _create_with_file(
    request: Request, context: ServiceContext, caller: Identity, key: str | None
) -> CatalogRow:
    upload = Upload(context, new_id())
    async with read_catalog_form(request) as (asked, pieces):
        stored = await upload.store(pieces)

    def use_case(tx: Session) -> CatalogRow:
        return _add_with_content(tx, caller, key, asked=asked, stored=stored, upload=upload)

    row = await upload.hand_over(use_case)
    if row.id != upload.catalog_id:
        # A repeated request: the first one's content stays, this one's goes.
        await upload.drop()
    return row


def _add_with_content(
    tx: Session,
    caller: Identity,
    key: str | None,
    *,
    asked: CatalogRequest,
    stored: Stored,
    upload: Upload,
) -> CatalogRow:
    new = upload.catalog_id

    def make() -> tuple[UUID, CatalogRow]:
        add_catalog(tx, caller.account_id, name=asked.name, mapping=asked.mapping, catalog_id=new)
        note_event(tx, caller, "catalog.create", new)
        return new, receive_content(
            tx, caller.account_id, new, stored, key=upload.key, request_id=caller.request_id
        )

    return create_once(
        tx,
        caller.account_id,
        key,
        request_digest=digest_of("catalog", asked, stored.digest),
        create=make,
        find=lambda found: find_catalog(tx, caller.account_id, found),
    )


def _refuse_other_than_content(request: Request) -> None:
    """Refuse a PUT of a part, or of coded content: neither is the catalogue's bytes."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Send the content as it is, without Content-Encoding; Parquet and HDF5 compress "
            "inside.",
        )
    # Taken for the whole (RFC 9110, 14.5), a part would be half a catalogue.
    if "content-range" in request.headers:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            "content-range-refused",
            "Send the content whole, without Content-Range.",
        )
