"""``hbmlc admin``: what those who run the service do, on the database itself."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.orm import Session

from hbmlc_store.accounts import list_accounts
from hbmlc_store.aliases import set_alias
from hbmlc_store.database import Database
from hbmlc_store.errors import SetupError, StoreError
from hbmlc_store.logs import configure_logs
from hbmlc_store.operators import create_operator_key, list_operator_keys, revoke_operator_key
from hbmlc_store.plain_errors import plain_errors
from hbmlc_store.schema_version import require_schema
from hbmlc_store.settings import Settings, load_settings

__all__ = ["app"]

MANY = 10_000
app = typer.Typer(
    help="Run the service: operators' keys, accounts, shipped models.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command("create-operator-key")
@plain_errors
def create_operator_key_(
    name: Annotated[str, typer.Option(help="Whose key it is.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 365,
) -> None:
    """Make a key for /admin/v1 and print it, this once.

    Example: hbmlc admin create-operator-key --name night-shift
    """
    settings = load_settings()
    key_secret = settings.key_secret.get_secret_value()
    if not key_secret:
        raise SetupError("HBMLC_KEY_SECRET is empty; set it as the API has it.")
    with _transaction(settings) as tx:
        expires_at = datetime.now(UTC) + timedelta(days=days)
        _, key = create_operator_key(tx, name=name, key_secret=key_secret, expires_at=expires_at)
    typer.echo(key)


@app.command("operator-keys")
@plain_errors
def operator_keys() -> None:
    """List the operators' keys, newest first; never the keys themselves."""
    with _transaction(load_settings()) as tx:
        for row in list_operator_keys(tx):
            state = "revoked" if row.revoked_at else f"until {row.expires_at or 'revoked'}"
            typer.echo(f"{row.id}  hbo_{row.prefix}  {state}  {row.name}")


@app.command("revoke-operator-key")
@plain_errors
def revoke_operator_key_(
    key_id: Annotated[UUID, typer.Argument(help="Id, as operator-keys shows it.")],
) -> None:
    """Revoke an operator's key, from the next request on."""
    with _transaction(load_settings()) as tx:
        revoke_operator_key(tx, key_id)


@app.command("accounts")
@plain_errors
def accounts() -> None:
    """List the accounts, newest first."""
    with _transaction(load_settings()) as tx:
        for row in list_accounts(tx, limit=MANY):
            typer.echo(f"{row.id}  {row.name}")


@app.command("set-alias")
@plain_errors
def set_alias_(
    name: Annotated[str, typer.Argument(help="Shipped model.")],
    alias: Annotated[str, typer.Argument(help="Moving name, as production.")],
    version: Annotated[int, typer.Argument(min=1, max=2**31 - 1, help="Where it shall point.")],
) -> None:
    """Point an alias of a shipped model at a version, for everybody.

    Example: hbmlc admin set-alias lsst-ugrizy production 3
    """
    with _transaction(load_settings()) as tx:
        set_alias(tx, None, name, alias, version=version, set_by="operator at the command line")
    typer.echo(f"{name}@{alias} is {name}:{version}")


@contextmanager
def _transaction(settings: Settings) -> Generator[Session]:
    configure_logs(settings)
    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    try:
        require_schema(database)
        with database.transaction() as tx:
            yield tx
    except StoreError as exc:
        raise SetupError(exc.message) from exc
    finally:
        database.close()
