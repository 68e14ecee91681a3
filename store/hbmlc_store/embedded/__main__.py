"""``python -m hbmlc_store.embedded``: the same as ``hbmlc serve``."""

from __future__ import annotations

import typer

from hbmlc_store.embedded.command import serve

if __name__ == "__main__":
    typer.run(serve)
