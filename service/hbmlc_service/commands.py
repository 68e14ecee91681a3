"""The command ``hbmlc api``."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["api"]


def api(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Run the HTTP API until it is stopped. Example: hbmlc api --port 8000."""
    import uvicorn

    from hbmlc_service.app import create_app
    from hbmlc_store.logs import configure_logs
    from hbmlc_store.settings import Settings

    settings = Settings()
    configure_logs(settings)
    uvicorn.run(
        create_app(settings),
        host=host or settings.host,
        port=settings.port if port is None else port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Long polls end with their answer; a stop should not wait for them.
        timeout_graceful_shutdown=3,
    )
