"""``/v1/calibrations/{id}/results``: list and download result files."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from sqlalchemy.orm import Session

from hbmlc.schemas import Page, ResultFile
from hbmlc_service.auth import Caller
from hbmlc_service.context import Context
from hbmlc_service.problems import ProblemError, problem_responses
from hbmlc_service.views import show_result
from hbmlc_store.errors import ObjectDamagedError
from hbmlc_store.jobs.calibrations import find_calibration, find_result, list_results
from hbmlc_store.schema import ResultRow

__all__ = ["router"]

router = APIRouter(prefix="/v1/calibrations", tags=["results"])

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_FILES: dict[str, dict[str, object]] = {
    "application/vnd.apache.parquet": {},
    "application/fits": {},
    "application/x-hdf5": {},
    "application/json": {},
    "text/html": {},
    "application/octet-stream": {},
}
"""Media types of result files; the listing says which one each has."""
ResultName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


@router.get("/{calibration_id}/results", responses=problem_responses(404))
def list_all(calibration_id: UUID, context: Context, caller: Caller) -> Page[ResultFile]:
    """List the result files; there are none before the calibration is COMPLETED."""

    def use_case(tx: Session) -> list[ResultRow]:
        find_calibration(tx, caller.account_id, calibration_id)
        return list_results(tx, calibration_id)

    return Page(items=[show_result(row) for row in context.run(use_case)])


@router.head("/{calibration_id}/results/{name}", include_in_schema=False)
@router.get(
    "/{calibration_id}/results/{name}",
    response_class=Response,
    responses={
        **problem_responses(404, 416, 422),
        200: {"content": _FILES, "description": "The whole file."},
        206: {"content": _FILES, "description": "The range asked for."},
        304: {"description": "The caller has this file."},
        307: {"description": "The file is at the object store; follow the address."},
    },
)
def download(
    calibration_id: UUID,
    name: ResultName,
    request: Request,
    context: Context,
    caller: Caller,
    range_: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header(alias="If-Range")] = None,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
) -> Response:
    """Download a result file, whole or a range of it."""

    def use_case(tx: Session) -> ResultRow:
        find_calibration(tx, caller.account_id, calibration_id)
        return find_result(tx, calibration_id, name)

    row = context.run(use_case)
    key = row.object_key
    etag = f'"{row.digest}"'
    if if_none_match is not None and _names(if_none_match, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
    is_head = request.method == "HEAD"
    # An address is signed for one method: a HEAD of it would be refused by the store.
    presigned = (
        None
        if is_head
        else context.objects.presigned_url(key, seconds=context.settings.presign_seconds)
    )
    if presigned is not None:
        return RedirectResponse(presigned, status_code=HTTPStatus.TEMPORARY_REDIRECT)
    asked = range_ if if_range in {None, etag} else None
    start, end = _read_range(asked, row.size_bytes)
    headers = _headers(row, etag=etag, start=start, end=end)
    is_whole = end - start == row.size_bytes
    status = HTTPStatus.OK if is_whole else HTTPStatus.PARTIAL_CONTENT
    if is_head:
        return Response(status_code=status, headers=headers, media_type=row.media_type)
    pieces = context.objects.stream(key, start=start, end=end)
    return StreamingResponse(
        _held_to_digest(pieces, row) if is_whole else pieces,
        status_code=status,
        headers=headers,
        media_type=row.media_type,
    )


def _names(header: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names the file (RFC 9110, 13.1.2): itself, or anything at all."""
    named = {part.strip().removeprefix("W/") for part in header.split(",")}
    return bool(named & {"*", etag})


def _held_to_digest(pieces: Iterator[bytes], row: ResultRow) -> Iterator[bytes]:
    """Pass a whole file on; one whose bytes are not those of its row breaks off at its end."""
    digest = hashlib.sha256()
    held = b""
    for piece in pieces:
        yield held
        digest.update(piece)
        held = piece
    if digest.hexdigest() != row.digest:
        raise ObjectDamagedError(
            "object-damaged", f"The bytes of {row.name} are not those that were written."
        )
    yield held


def _headers(row: ResultRow, *, etag: str, start: int, end: int) -> dict[str, str]:
    digest = f"sha-256=:{base64.b64encode(bytes.fromhex(row.digest)).decode()}:"
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(end - start),
        "Content-Disposition": f'attachment; filename="{row.name}"',
        "ETag": etag,
        # Of the whole file, also where only a part of it is sent.
        "Repr-Digest": digest,
        # A report is the uploader's data as a page: it may not run scripts in our name.
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if end - start == row.size_bytes:
        headers["Content-Digest"] = digest
    else:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{row.size_bytes}"
    return headers


def _read_range(header: str | None, size: int) -> tuple[int, int]:
    """Half-open range of bytes; what is no single range of bytes is ignored, as RFC 9110 allows."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match[0] == "bytes=-":
        return 0, size
    if not match[1]:
        start, end = max(size - int(match[2]), 0), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
    if start >= end:
        raise ProblemError(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "range-not-satisfiable",
            f"The file has {size} bytes; ask for a range within them.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, end
