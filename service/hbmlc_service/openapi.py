"""The OpenAPI document: ``python -m hbmlc_service.openapi FILE [--check]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from pydantic import SecretStr

from hbmlc_service.app import create_app
from hbmlc_store.settings import Settings

__all__ = ["main", "render"]


def render() -> str:
    """Give the document of the present code as text."""
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


if __name__ == "__main__":
    sys.exit(main())
