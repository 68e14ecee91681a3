"""Whether database, broker and object store answer: the health check of what serves no HTTP."""

from __future__ import annotations

from collections.abc import Callable

import typer
from sqlalchemy.exc import OperationalError

from hbmlc_store.errors import SetupError, StoreUnavailableError
from hbmlc_store.logs import configure_logs
from hbmlc_store.plain_errors import plain_errors
from hbmlc_store.settings import Settings, load_settings

__all__ = ["check"]


@plain_errors
def check() -> None:
    """Ask database, broker and object store whether they answer. Example: hbmlc check."""
    settings = load_settings()
    configure_logs(settings)
    peers: dict[str, Callable[[Settings], None]] = {
        "database": _ask_database,
        "broker": _ask_broker,
        "object store": _ask_object_store,
    }
    away: list[str] = []
    for name, ask in peers.items():
        try:
            ask(settings)
        except (OperationalError, OSError, SetupError, StoreUnavailableError) as exc:
            away.append(name)
            typer.echo(f"{name}: {_first_line(exc)}")
        else:
            typer.echo(f"{name}: ok")
    if away:
        raise SetupError(f"{', '.join(away)} cannot be worked with.")


def _ask_database(settings: Settings) -> None:
    from hbmlc_store.database import Database
    from hbmlc_store.schema_version import require_schema

    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    try:
        require_schema(database)
    finally:
        database.close()


def _ask_broker(settings: Settings) -> None:
    import redis

    from hbmlc_store.broker import ask_broker

    try:
        with ask_broker(settings) as client:
            client.ping()
    except redis.RedisError as exc:
        raise SetupError(f"It does not answer: {_first_line(exc)}") from exc


def _ask_object_store(settings: Settings) -> None:
    from hbmlc_store.objects import Objects

    Objects.of(settings).check_writable()


def _first_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, OperationalError) else error
    return str(cause).partition("\n")[0]
