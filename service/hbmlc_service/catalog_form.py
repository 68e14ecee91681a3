"""The form with which a catalogue comes in one request: a file, its name, its column mapping."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from hbmlc.schemas import CatalogRequest, ColumnMapping, ProblemDetail
from hbmlc.schemas.base import PLAIN_TEXT
from hbmlc_service.parsing import parse_document, validated
from hbmlc_service.problems import ProblemError

__all__ = ["FORM_SCHEMA", "read_catalog_form"]

CHUNK_BYTES = 1 << 20
MAX_FIELD_BYTES = 1 << 18
"""Longest field beside the file: a mapping of every band."""
PARTS = ("file", "name", "mapping")
FORM_SCHEMA = {
    "type": "object",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "format": "binary", "minLength": 1},
        "name": {"type": "string", "maxLength": 200, "pattern": PLAIN_TEXT},
        "mapping": {"$ref": "#/components/schemas/ColumnMapping"},
    },
}
"""The form, for OpenAPI."""


@asynccontextmanager
async def read_catalog_form(
    request: Request,
) -> AsyncGenerator[tuple[CatalogRequest, AsyncIterator[bytes]]]:
    """Read the form; lends what is asked for and the file's bytes while the block runs."""
    async with _form(request) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "file-missing",
                "The form has no part 'file' with a file name; send the catalogue in it.",
            )
        _refuse_odd_parts(form)
        yield _read_fields(file, form.get("name"), form.get("mapping")), _pieces(file)


@asynccontextmanager
async def _form(request: Request) -> AsyncGenerator[FormData]:
    """Parts of the form; a field that is too long answers 413."""
    lent = request.form(max_files=1, max_fields=8, max_part_size=MAX_FIELD_BYTES)
    try:
        form = await lent
    except HTTPException as error:
        if "maximum size" not in str(error.detail):
            raise
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too-large",
            f"A field of the form has more than {MAX_FIELD_BYTES:,} bytes; a mapping of every band "
            "needs less.",
        ) from error
    try:
        yield form
    finally:
        await form.close()


def _refuse_odd_parts(form: FormData) -> None:
    """Refuse a part that nobody would read: as in JSON, it is a typing mistake."""
    names = [name for name, _ in form.multi_items()]
    wrong = {name: "is no part of this form" for name in names if name not in PARTS}
    wrong |= {name: "stands in the form twice" for name in PARTS if names.count(name) > 1}
    wrong |= {
        name: "is sent as a file; send it as a field"
        for name in PARTS
        if name != "file" and isinstance(form.get(name), UploadFile)
    }
    if wrong:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid-request",
            "The form may have the parts file, name and mapping, each once.",
            errors=[ProblemDetail(pointer=f"/{name}", message=why) for name, why in wrong.items()],
        )


def _read_fields(file: UploadFile, name: object, mapping_text: object) -> CatalogRequest:
    mapping = None
    if isinstance(mapping_text, str) and mapping_text:
        mapping = parse_document(ColumnMapping, mapping_text.encode(), where="/mapping")
    text = name if isinstance(name, str) and name else (file.filename or "catalogue")[:200]
    return validated(lambda: CatalogRequest(name=text, mapping=mapping))


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(CHUNK_BYTES):
        yield piece
