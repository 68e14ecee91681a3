"""Keyset pagination: a cursor is the id of the last item seen, so inserts shift nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Query, Request, Response

from hbmlc_service.problems import ProblemError

__all__ = ["Cursor", "Limit", "cut_page", "read_cursor"]

Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=64,
        description="`next_cursor` of the page before.",
        # Said, not enforced: a broken cursor has a problem of its own.
        json_schema_extra={"pattern": "^[A-Za-z0-9_-]{22}$"},
    ),
]


RowT = TypeVar("RowT")


def read_cursor(cursor: str | None) -> UUID | None:
    """Decode a cursor; a broken one answers 422."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as exc:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "bad-cursor",
            "The cursor is not one that this service gave; start without it.",
        ) from exc


def _own_id(row: Any) -> UUID:
    return row.id


def cut_page(
    rows: Sequence[RowT],
    *,
    limit: int,
    request: Request,
    response: Response,
    id_of: Callable[[RowT], UUID] = _own_id,
) -> tuple[Sequence[RowT], str | None]:
    """Cut ``limit`` rows off ``limit + 1`` fetched ones; the surplus row tells of another page."""
    if len(rows) <= limit:
        return rows, None
    page = rows[:limit]
    cursor = base64.urlsafe_b64encode(id_of(page[-1]).bytes).decode().rstrip("=")
    target = request.url.include_query_params(cursor=cursor)
    response.headers["Link"] = f'<{target.path}?{target.query}>; rel="next"'
    return page, cursor
