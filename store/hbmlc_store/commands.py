"""Commands for those who run the service on machines of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from hbmlc.schemas import Scope
from hbmlc_store.accounts import create_api_key, ensure_account
from hbmlc_store.database import Database, head_revision
from hbmlc_store.database import migrate as migrate_database
from hbmlc_store.logs import configure_logs
from hbmlc_store.settings import Settings

__all__ = ["create_key", "migrate"]


def migrate() -> None:
    """Bring the database to the schema of this release. Example: hbmlc migrate."""
    settings = Settings()
    configure_logs(settings)
    migrate_database(_database(settings))
    typer.echo(f"schema {head_revision()}")


def create_key(
    account: Annotated[str, typer.Option(help="Account that the key belongs to; made if new.")],
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it may do; repeat for more. Default: all.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires.")] = None,
) -> None:
    """Make an API key and print it, this once. Example: hbmlc create-key --account survey."""
    settings = Settings()
    configure_logs(settings)
    key_secret = settings.key_secret.get_secret_value()
    if not key_secret:
        raise typer.BadParameter("HBMLC_KEY_SECRET is empty; set it as the API has it.")
    with _database(settings).transaction() as tx:
        _, key = create_api_key(
            tx,
            ensure_account(tx, account),
            name=name,
            scopes=scope or list(Scope),
            key_secret=key_secret,
            expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
        )
    typer.echo(key)


def _database(settings: Settings) -> Database:
    return Database(settings.database_url.get_secret_value(), pool_size=1)
