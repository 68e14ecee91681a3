"""Ways in: ``POST /v1/catalogs`` with a file or without, ``PUT …/content`` with a stream."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, NoReturn, TypeVar
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from hbmlc.schemas import Catalog, CatalogRequest, ColumnMapping, ProblemDetail
from hbmlc_service.auth import CatalogWriter
from hbmlc_service.context import Context, ServiceContext
from hbmlc_service.idempotency import IdempotencyKey, create_once, digest_of
from hbmlc_service.problems import ProblemError, problem_responses
from hbmlc_service.views import show_catalog
from hbmlc_store.accounts import Identity
from hbmlc_store.catalogs import add_catalog, find_catalog
from hbmlc_store.errors import StoreError
from hbmlc_store.ids import new_id
from hbmlc_store.keys import catalog_prefix, content_key
from hbmlc_store.objects import Stored
from hbmlc_store.schema import CatalogRow
from hbmlc_store.uploads import check_wants_content, receive_content

__all__ = ["router"]

router = APIRouter(prefix="/v1/catalogs", tags=["catalogs"])

CHUNK_BYTES = 1 << 20
ModelT = TypeVar("ModelT", bound=BaseModel)
_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):")

ContentDigest = Annotated[
    str | None,
    Header(alias="Content-Digest", description="`sha-256=:<base64>:` of the content, RFC 9530."),
]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/CatalogRequest"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "name": {"type": "string"},
                        "mapping": {"type": "string", "description": "ColumnMapping as JSON."},
                    },
                }
            },
        },
    }
}
_CONTENT = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "", status_code=201, openapi_extra=_BODY, responses=problem_responses(409, 413, 415, 422)
)
async def create(
    request: Request,
    response: Response,
    context: Context,
    caller: CatalogWriter,
    idempotency_key: IdempotencyKey = None,
) -> Catalog:
    """Create a catalogue: with its file (multipart), or announced (JSON) for a later PUT."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        row = await _create_with_file(request, context, caller, idempotency_key)
    elif media_type == "application/json":
        row = await _announce(request, context, caller, idempotency_key)
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
    responses=problem_responses(404, 409, 413, 422),
)
async def put_content(
    catalog_id: UUID,
    request: Request,
    context: Context,
    caller: CatalogWriter,
    content_digest: ContentDigest = None,
) -> Catalog:
    """Stream a catalogue's content; it is read as soon as it is whole."""
    expected = _read_digest(content_digest)
    await context.arun(lambda tx: check_wants_content(tx, caller.account_id, catalog_id))
    stored = await context.objects.put_stream(
        content_key(catalog_id),
        request.stream(),
        max_bytes=context.settings.max_upload_bytes,
        expected_digest=expected,
    )
    row = await context.arun(lambda tx: receive_content(tx, caller.account_id, catalog_id, stored))
    return show_catalog(row)


async def _announce(
    request: Request, context: ServiceContext, caller: Identity, key: str | None
) -> CatalogRow:
    asked = _parse(CatalogRequest, await request.body(), where="")

    def use_case(tx: Session) -> CatalogRow:
        def make() -> tuple[UUID, CatalogRow]:
            row = add_catalog(tx, caller.account_id, name=asked.name, mapping=asked.mapping)
            return row.id, row

        return create_once(
            tx,
            caller,
            key,
            request_digest=digest_of("catalog", asked),
            create=make,
            find=lambda found: find_catalog(tx, caller.account_id, found),
        )

    return await context.arun(use_case)


async def _create_with_file(
    request: Request, context: ServiceContext, caller: Identity, key: str | None
) -> CatalogRow:
    async with request.form(max_files=1, max_fields=8) as form:
        file, name, mapping_text = form.get("file"), form.get("name"), form.get("mapping")
        if not isinstance(file, UploadFile):
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "file-missing",
                "The form has no part 'file' with a file name; send the catalogue in it.",
            )
        asked = _read_form(file, name, mapping_text)
        catalog_id = new_id()
        stored = await context.objects.put_stream(
            content_key(catalog_id), _pieces(file), max_bytes=context.settings.max_upload_bytes
        )

    def use_case(tx: Session) -> CatalogRow:
        return _add_with_content(tx, caller, key, asked=asked, stored=stored, new=catalog_id)

    try:
        row = await context.arun(use_case)
    except StoreError:
        context.objects.delete_below(catalog_prefix(catalog_id))
        raise
    if row.id != catalog_id:
        # A repeated request: the first one's content stays, this one's goes.
        context.objects.delete_below(catalog_prefix(catalog_id))
    return row


def _add_with_content(
    tx: Session,
    caller: Identity,
    key: str | None,
    *,
    asked: CatalogRequest,
    stored: Stored,
    new: UUID,
) -> CatalogRow:
    def make() -> tuple[UUID, CatalogRow]:
        add_catalog(tx, caller.account_id, name=asked.name, mapping=asked.mapping, catalog_id=new)
        return new, receive_content(tx, caller.account_id, new, stored)

    return create_once(
        tx,
        caller,
        key,
        request_digest=digest_of("catalog", asked, stored.digest),
        create=make,
        find=lambda found: find_catalog(tx, caller.account_id, found),
    )


def _read_form(file: UploadFile, name: object, mapping_text: object) -> CatalogRequest:
    mapping = None
    if isinstance(mapping_text, str) and mapping_text:
        mapping = _parse(ColumnMapping, mapping_text.encode(), where="/mapping")
    text = name if isinstance(name, str) and name else (file.filename or "catalogue")
    return CatalogRequest(name=text[:200], mapping=mapping)


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(CHUNK_BYTES):
        yield piece


def _parse(model: type[ModelT], body: bytes, *, where: str) -> ModelT:
    try:
        return model.model_validate_json(body)
    except ValidationError as exc:
        errors = [
            ProblemDetail(
                pointer="/".join([where, *(str(part) for part in found["loc"])]),
                message=found["msg"],
            )
            for found in exc.errors()
        ]
        detail = "; ".join(f"{found.pointer} {found.message}" for found in errors[:3])
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, errors=errors
        ) from exc


def _read_digest(header: str | None) -> str | None:
    """Hexadecimal sha256 out of a ``Content-Digest`` header."""
    if header is None:
        return None
    match = _SHA256.search(header)
    try:
        return base64.b64decode(match[1], validate=True).hex() if match else _bad_digest()
    except binascii.Error:
        return _bad_digest()


def _bad_digest() -> NoReturn:
    raise ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "bad-content-digest",
        "Content-Digest must read sha-256=:<base64>: (RFC 9530).",
    )
