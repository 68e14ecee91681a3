"""What the OpenAPI document says beyond what FastAPI finds by itself."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from hbmlc.schemas import CatalogRequest, ColumnMapping, Problem

__all__ = ["complete_openapi"]


def complete_openapi(app: FastAPI) -> None:
    """Add the schemas that routes refer to by hand, and one description of a problem for all."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for model in (Problem, CatalogRequest, ColumnMapping):
            _add_schema(schemas, model)
        # Validation errors are answered as problems; FastAPI's own form never leaves the service.
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path in document["paths"].values():
            for operation in path.values():
                found = operation.get("responses", {}).get("422", {})
                if "application/json" in found.get("content", {}):
                    found["content"] = {
                        "application/problem+json": {
                            "schema": {"$ref": "#/components/schemas/Problem"}
                        }
                    }
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _add_schema(schemas: dict[str, Any], model: type[BaseModel]) -> None:
    found = model.model_json_schema(ref_template="#/components/schemas/{model}")
    for name, schema in found.pop("$defs", {}).items():
        schemas.setdefault(name, schema)
    schemas.setdefault(model.__name__, found)
