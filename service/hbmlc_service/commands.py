"""The command ``hbmlc api``."""

from __future__ import annotations

from typing import Annotated

import typer

from hbmlc_store.plain_errors import plain_errors

__all__ = ["api"]


@plain_errors
def api(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Run the HTTP API until it is stopped. Example: hbmlc api --port 8000."""
    from hbmlc_service.app import create_app
    from hbmlc_service.server import make_server
    from hbmlc_store.errors import SetupError
    from hbmlc_store.logs import configure_logs
    from hbmlc_store.schema_version import require_schema
    from hbmlc_store.settings import load_settings

    settings = load_settings(host=host, port=port)
    configure_logs(settings)
    if not settings.key_secret.get_secret_value():
        raise SetupError("HBMLC_KEY_SECRET is empty; set it to a long random text.")
    app = create_app(settings)
    require_schema(app.state.context.database, may_be_away=True)
    make_server(app, settings, on_exit=app.state.context.changes.close).run()
