"""Problem documents, RFC 9457: the one place that turns an error into an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from hbmlc.schemas import Problem, ProblemDetail
from hbmlc_store.errors import (
    ConflictError,
    DigestMismatchError,
    InvalidError,
    NotFoundError,
    StoreError,
)

__all__ = ["PROBLEM_MEDIA_TYPE", "ProblemError", "install_problem_handlers", "problem_responses"]

PROBLEM_MEDIA_TYPE = "application/problem+json"

_STATUS_BY_CODE = {
    "too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
_STATUS_BY_ERROR: Mapping[type[StoreError], HTTPStatus] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    DigestMismatchError: HTTPStatus.UNPROCESSABLE_ENTITY,
}

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
    """Describe the problems of a route for OpenAPI."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}},
        }
        for status in sorted({401, 403, *statuses})
    }


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of the application a problem document."""
    app.add_exception_handler(StoreError, _store_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(OperationalError, _database_down)
    app.add_exception_handler(Exception, _unexpected)


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
        detail=detail,
        instance=request.url.path,
        code=code,
        errors=list(errors),
        request_id=request.scope.get("hbmlc.request_id"),
    )
    return JSONResponse(
        problem.model_dump(mode="json"),
        status_code=status.value,
        headers=dict(headers or {}),
        media_type=PROBLEM_MEDIA_TYPE,
    )


def _store_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StoreError)  # noqa: S101 - registered for this class alone
    status = _STATUS_BY_CODE.get(error.code) or next(
        (found for kind, found in _STATUS_BY_ERROR.items() if isinstance(error, kind)),
        HTTPStatus.CONFLICT,
    )
    return _answer(request, status, error.code, error.message)


def _validation_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    errors = [
        ProblemDetail(
            pointer="/" + "/".join(str(part) for part in found["loc"][1:]),
            message=f"{found['loc'][0]}: {found['msg']}",
        )
        for found in error.errors()
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
    return _answer(request, status, code, error.detail, errors=errors, headers=error.headers)


def _database_down(request: Request, error: Exception) -> JSONResponse:
    logger.error("Database unreachable", error=str(error))
    return _answer(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "database-unavailable",
        "The database does not answer; try again in a few seconds.",
        headers={"Retry-After": "5"},
    )


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("Request failed", exc_info=error, path=request.url.path)
    return _answer(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal-error",
        "The service failed unexpectedly; report the request_id.",
    )
