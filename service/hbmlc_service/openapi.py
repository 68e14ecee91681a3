"""The OpenAPI document: ``python -m hbmlc_service.openapi FILE [--check]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from hbmlc.schemas import CatalogRequest, ColumnMapping, Problem

__all__ = ["complete_openapi", "main", "render"]


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


def render() -> str:
    """Give the document of the present code as text."""
    from pydantic import SecretStr

    from hbmlc_service.app import create_app
    from hbmlc_store.settings import Settings

    # Nothing is connected: the engine and the store are lazy, and no request is served.
    settings = Settings(key_secret=SecretStr("unused"), object_store="memory://")
    document = create_app(settings).openapi()
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> int:
    """Write the document, or check that the file still says the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="fail if the file is out of date")
    asked = parser.parse_args()
    text = render()
    if not asked.check:
        asked.file.write_text(text)
        return 0
    if asked.file.exists() and asked.file.read_text() == text:
        return 0
    print(  # noqa: T201 - the command's own voice
        f"{asked.file} is out of date; run: python -m hbmlc_service.openapi {asked.file}",
        file=sys.stderr,
    )
    return 1


def _add_schema(schemas: dict[str, Any], model: type[BaseModel]) -> None:
    found = model.model_json_schema(ref_template="#/components/schemas/{model}")
    for name, schema in found.pop("$defs", {}).items():
        schemas.setdefault(name, schema)
    schemas.setdefault(model.__name__, found)


if __name__ == "__main__":
    sys.exit(main())
