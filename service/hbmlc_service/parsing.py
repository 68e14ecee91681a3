"""Documents that a handler reads by itself, refused like those that the framework reads."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from hbmlc.schemas import ProblemDetail
from hbmlc_service.problems import ProblemError

__all__ = ["parse_document", "validated"]

ModelT = TypeVar("ModelT", bound=BaseModel)


def parse_document(model: type[ModelT], body: bytes, *, where: str = "") -> ModelT:
    """Parse a JSON document; ``where`` points to it within the request."""
    return validated(lambda: model.model_validate_json(body), where=where)


def validated(make: Callable[[], ModelT], *, where: str = "") -> ModelT:
    """Make a document; one that is not valid answers 422 with each finding."""
    try:
        return make()
    except ValidationError as exc:
        errors = [
            ProblemDetail(
                pointer="/".join([where, *(str(part) for part in found["loc"])]),
                message=found["msg"],
            )
            for found in exc.errors(include_input=False, include_context=False)
        ]
        detail = "; ".join(f"{found.pointer} {found.message}" for found in errors[:3])
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, errors=errors
        ) from exc
