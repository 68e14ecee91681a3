"""Documents that a handler reads by itself, refused like those that the framework reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from hbmlc.schemas import ProblemDetail
from hbmlc.schemas.faults import faults_of
from hbmlc_service.problems import ProblemError

__all__ = ["parse_document", "validated"]

ModelT = TypeVar("ModelT", bound=BaseModel)


def parse_document(model: type[ModelT], body: bytes, *, where: str = "") -> ModelT:
    """Parse a JSON document; ``where`` points to it within the request."""
    return validated(lambda: model.model_validate_json(body), where=where, body=body)


def validated(make: Callable[[], ModelT], *, where: str = "", body: bytes = b"") -> ModelT:
    """Make a document; one that is not valid answers 422 with each finding."""
    try:
        return make()
    except ValidationError as exc:
        found = exc.errors(include_input=False, include_context=False)
        errors = [
            ProblemDetail(
                pointer="/".join([where, *(str(part) for part in place)]), message=message
            )
            for place, message in faults_of(found, _read(body)).items()
        ]
        detail = "; ".join(f"{found.pointer} {found.message}" for found in errors[:3])
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, errors=errors
        ) from exc


def _read(body: bytes) -> object:
    """Give what a body says; ``None`` where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
