"""The command ``hbmlc serve``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hbmlc_store.embedded.errors import EmbeddedError
from hbmlc_store.embedded.supervisor import serve_home
from hbmlc_store.logs import configure_logs
from hbmlc_store.plain_errors import plain_errors
from hbmlc_store.settings import load_settings

__all__ = ["serve"]


@plain_errors
def serve(
    home: Annotated[
        Path | None, typer.Option(help="Folder that keeps everything (HBMLC_HOME).")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Run the whole service on this machine until Ctrl-C. Example: hbmlc serve --port 8000."""
    settings = load_settings(home=home, host=host, port=port)
    configure_logs(settings)
    try:
        status = serve_home(settings)
    except (EmbeddedError, ChildProcessError) as exc:
        print(f"hbmlc serve: {exc}", file=sys.stderr)  # noqa: T201 - the command's own voice
        status = 1
    raise typer.Exit(status)
