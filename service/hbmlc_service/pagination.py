"""Keyset pagination: a cursor is the id of the last item seen, so inserts shift nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from hbmlc.schemas import Page
from hbmlc_service.problems import ProblemError

__all__ = ["PageAsked", "Paging"]

RowT = TypeVar("RowT")
ItemT = TypeVar("ItemT", bound=BaseModel)


def _own_id(row: Any) -> UUID:
    return row.id


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAsked:
    """The page that a request asks for, and the answer that it becomes."""

    request: Request
    response: Response
    limit: int
    """Items on the page."""
    before: UUID | None
    """Id of the last item of the page before."""

    @property
    def n_rows(self) -> int:
        """Rows to fetch: one more than the page has tells of another page."""
        return self.limit + 1

    def cut(
        self, rows: Sequence[RowT], id_of: Callable[[RowT], UUID] = _own_id
    ) -> tuple[Sequence[RowT], str | None]:
        """Cut the page off the fetched rows; the second value is the cursor of the next page.

        The answer gets the address of that page as a ``Link``.
        """
        if len(rows) <= self.limit:
            return rows, None
        page = rows[: self.limit]
        cursor = base64.urlsafe_b64encode(id_of(page[-1]).bytes).decode().rstrip("=")
        target = self.request.url.include_query_params(cursor=cursor)
        self.response.headers["Link"] = f'<{target.path}?{target.query}>; rel="next"'
        return page, cursor

    def of(
        self,
        rows: Sequence[RowT],
        show: Callable[[RowT], ItemT],
        id_of: Callable[[RowT], UUID] = _own_id,
    ) -> Page[ItemT]:
        """Make the page of rows that can be shown one by one."""
        page, next_cursor = self.cut(rows, id_of)
        return Page(items=[show(row) for row in page], next_cursor=next_cursor)


def _read_page(
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=200, description="Items on a page.")] = 50,
    cursor: Annotated[
        str | None,
        Query(
            max_length=64,
            description="`next_cursor` of the page before.",
            # Said, not enforced: a broken cursor has a problem of its own.
            json_schema_extra={"pattern": "^[A-Za-z0-9_-]{22}$"},
        ),
    ] = None,
) -> PageAsked:
    return PageAsked(request=request, response=response, limit=limit, before=_read_cursor(cursor))


Paging = Annotated[PageAsked, Depends(_read_page)]


def _read_cursor(cursor: str | None) -> UUID | None:
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
