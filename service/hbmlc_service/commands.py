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
    from hbmlc_service.app import create_app
    from hbmlc_service.server import make_server
    from hbmlc_store.logs import configure_logs
    from hbmlc_store.settings import Settings

    settings = Settings()
    asked = {"host": host, "port": port}
    settings = settings.model_copy(
        update={name: value for name, value in asked.items() if value is not None}
    )
    configure_logs(settings)
    app = create_app(settings)
    make_server(app, settings, on_exit=app.state.context.changes.close).run()
