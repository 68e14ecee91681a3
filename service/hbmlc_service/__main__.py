"""``python -m hbmlc_service``: the same as ``hbmlc api``."""

from __future__ import annotations

import typer

from hbmlc_service.commands import api

if __name__ == "__main__":
    typer.run(api)
