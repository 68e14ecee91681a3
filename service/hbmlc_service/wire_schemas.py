"""What the OpenAPI document says beyond what FastAPI finds by itself."""

from __future__ import annotations

from typing import Any, cast

from fastapi import FastAPI
from pydantic import BaseModel

from hbmlc.schemas import CatalogRequest, ColumnMapping, Problem

__all__ = ["complete_openapi"]

_BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}


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
                for parameter in operation.get("parameters", []):
                    parameter["schema"] = _without_null(parameter["schema"])
                found = operation.get("responses", {}).get("422", {})
                if "application/json" in found.get("content", {}):
                    found["content"] = {
                        "application/problem+json": {
                            "schema": {"$ref": "#/components/schemas/Problem"}
                        }
                    }
        _say_whole_bounds(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _say_whole_bounds(part: Any) -> None:
    """Write the bounds of integers as integers: as floats the large ones are read inexactly."""
    if isinstance(part, list):
        for inner in cast("list[Any]", part):
            _say_whole_bounds(inner)
    elif isinstance(part, dict):
        schema = cast("dict[str, Any]", part)
        for inner in schema.values():
            _say_whole_bounds(inner)
        if schema.get("type") == "integer":
            schema.update({name: int(schema[name]) for name in _BOUNDS & schema.keys()})


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Schema of a parameter that may be left out: on the wire there is no null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**kinds[0], **{name: said for name, said in schema.items() if name != "anyOf"}}


def _add_schema(schemas: dict[str, Any], model: type[BaseModel]) -> None:
    found = model.model_json_schema(ref_template="#/components/schemas/{model}")
    for name, schema in found.pop("$defs", {}).items():
        schemas.setdefault(name, schema)
    schemas.setdefault(model.__name__, found)
