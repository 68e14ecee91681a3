"""Keyset pagination: a cursor is the id of the last item seen, so inserts shift nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Query, Request, Response

from hbmlc_service.problems import ProblemError
from hbmlc_store.schema import CatalogRow, JobRow

__all__ = ["Cursor", "Limit", "cut_page", "read_cursor"]

Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page.")]
Cursor = Annotated[
    str | None, Query(max_length=64, description="`next_cursor` of the page before.")
]


RowT = TypeVar("RowT", CatalogRow, JobRow)


def read_cursor(cursor: str | None) -> UUID | None:
    """Decode a cursor; a broken one answers 422."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
    except (ValueError, binascii.Error) as exc:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "bad-cursor",
            "The cursor is not one that this service gave; start without it.",
        ) from exc


def cut_page(
    rows: Sequence[RowT], *, limit: int, request: Request, response: Response
) -> tuple[Sequence[RowT], str | None]:
    """Cut ``limit`` rows off ``limit + 1`` fetched ones; the surplus row tells of another page."""
    if len(rows) <= limit:
        return rows, None
    page = rows[:limit]
    cursor = base64.urlsafe_b64encode(page[-1].id.bytes).decode().rstrip("=")
    target = request.url.include_query_params(cursor=cursor)
    response.headers["Link"] = f'<{target.path}?{target.query}>; rel="next"'
    return page, cursor
