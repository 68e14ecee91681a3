"""Problem documents, RFC 9457: the one place that turns an error into an answer."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import Scope

from hbmlc.schemas import Problem, ProblemDetail
from hbmlc.schemas.faults import faults_of
from hbmlc_store.errors import (
    ConflictError,
    DigestMismatchError,
    InvalidError,
    NotFoundError,
    ObjectDamagedError,
    StoreError,
    StoreUnavailableError,
)

__all__ = [
    "PROBLEM_MEDIA_TYPE",
    "ProblemError",
    "answer_error",
    "answer_failure",
    "install_problem_handlers",
    "problem_responses",
    "shown",
]

PROBLEM_MEDIA_TYPE = "application/problem+json"

_STATUS_BY_CODE = {
    "too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
_STATUS_BY_ERROR: Mapping[type[StoreError], HTTPStatus] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    DigestMismatchError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ObjectDamagedError: HTTPStatus.INTERNAL_SERVER_ERROR,
    StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}

MAX_SHOWN = 1_000
"""Longest text within a problem [characters]."""
MAX_ERRORS = 50
"""Findings that one problem lists at most."""
RETRY_SECONDS = "5"
_OF_ANY_ROUTE = {400, 401, 403, 408, 413, 500, 503}
"""What the gate answers before a route is reached, and what may befall every one of them."""

logger = structlog.get_logger(__name__)


class ProblemError(HTTPException):
    """A problem that a handler answers with; passes through FastAPI's own parsing untouched."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        errors: Sequence[ProblemDetail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status_code=status.value, detail=detail, headers=dict(headers or {}))
        self.code = code
        self.errors = list(errors)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Describe the problems of a route for OpenAPI, those that any route may answer included."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted({*_OF_ANY_ROUTE, *statuses})
    }


def install_problem_handlers(app: FastAPI) -> None:
    """Make every expected error a problem document; ``RequestScope`` answers for all others."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)


def answer_error(error: Exception, scope: Scope) -> JSONResponse | None:
    """Make the answer that an expected error stands for; ``None`` for one that nobody expected."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return _disk_full(Request(scope))
    handlers = (handle for kind, handle in _HANDLERS.items() if isinstance(error, kind))
    handle = next(handlers, None)
    return None if handle is None else handle(Request(scope), error)


def answer_failure(scope: Scope) -> JSONResponse:
    """Make the answer to an error that nobody expected.

    It closes the connection: nobody knows how much of the request was read.
    """
    return _answer(
        Request(scope),
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal-error",
        "The service failed unexpectedly; report the request_id.",
        headers={"Connection": "close"},
    )


def _answer(
    request: Request,
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    errors: Sequence[ProblemDetail] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    problem = Problem(
        type=f"/problems/{code}",
        title=code.replace("-", " ").capitalize(),
        status=status.value,
        detail=shown(detail),
        instance=shown(request.scope["path"]),
        code=code,
        errors=[
            ProblemDetail(
                pointer=None if found.pointer is None else shown(found.pointer),
                message=shown(found.message),
            )
            for found in errors[:MAX_ERRORS]
        ],
        request_id=request.scope.get("hbmlc.request_id"),
    )
    return JSONResponse(
        problem.model_dump(mode="json"),
        status_code=status.value,
        headers=dict(headers or {}),
        media_type=PROBLEM_MEDIA_TYPE,
    )


def shown(text: str, *, length: int = MAX_SHOWN) -> str:
    """Text that may hold whatever the caller sent, as it can be shown: bounded and escaped."""
    short = text if len(text) <= length else f"{text[:length]}…"
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in short
    )


def _store_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StoreError)  # noqa: S101 - registered for this class alone
    status = _STATUS_BY_CODE.get(error.code) or next(
        (found for kind, found in _STATUS_BY_ERROR.items() if isinstance(error, kind)),
        HTTPStatus.CONFLICT,
    )
    is_outage = status is HTTPStatus.SERVICE_UNAVAILABLE
    if is_outage:
        logger.error("Object store unavailable", code=error.code)
    headers = {"Retry-After": RETRY_SECONDS} if is_outage else None
    return _answer(request, status, error.code, error.message, headers=headers)


def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    document = {"body": error.body}
    errors = [
        ProblemDetail(
            pointer="/" + "/".join(str(part) for part in place[1:]),
            message=f"{place[0]}: {message}",
        )
        for place, message in faults_of(error.errors(), document).items()
    ]
    detail = "; ".join(f"{found.pointer} {found.message}" for found in errors[:3])
    return _answer(
        request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, errors=errors
    )


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    status = HTTPStatus(error.status_code)
    code = (
        error.code if isinstance(error, ProblemError) else status.phrase.lower().replace(" ", "-")
    )
    errors = error.errors if isinstance(error, ProblemError) else []
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods_of(request))
    return _answer(request, status, code, error.detail, errors=errors, headers=headers)


def _methods_of(request: Request) -> list[str]:
    """Methods of every route with the request's path; the framework tells those of the first."""
    return sorted(
        method.upper()
        for template, operations in request.app.openapi()["paths"].items()
        if compile_path(template)[0].match(request.scope["path"])
        for method in operations
    )


def _disk_full(request: Request) -> JSONResponse:
    logger.error("Disk full")
    return _answer(
        request,
        HTTPStatus.INSUFFICIENT_STORAGE,
        "out-of-disk",
        "The disk of the service is full; try again once those who run it have made room.",
        headers={"Retry-After": RETRY_SECONDS},
    )


def _bad_value(request: Request, error: Exception) -> JSONResponse:
    # Validation should have refused it; what the database refuses is the caller's value anyhow.
    logger.warning("Database refused a value", error=type(error).__name__)
    return _answer(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-request",
        "A value of the request cannot be stored: too large a number, or a text with odd signs.",
    )


def _database_down(request: Request, error: Exception) -> JSONResponse:
    logger.error("Database unreachable", error=type(error).__name__)
    return _answer(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "database-unavailable",
        "The database does not answer; try again in a few seconds.",
        headers={"Retry-After": RETRY_SECONDS},
    )


_HANDLERS: Mapping[type[Exception], Callable[[Request, Exception], JSONResponse]] = {
    StoreError: _store_error,
    RequestValidationError: _validation_error,
    HTTPException: _http_error,
    OperationalError: _database_down,
    InterfaceError: _database_down,
    PoolTimeout: _database_down,
    DataError: _bad_value,
}
"""Kind of error to what answers it; no kind is one of another."""
