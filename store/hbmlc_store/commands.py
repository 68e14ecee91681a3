"""Commands for those who run the service on machines of their own."""

from __future__ import annotations

import difflib
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from hbmlc.schemas import Scope
from hbmlc_store.accounts import create_api_key, ensure_account
from hbmlc_store.database import Database, current_revision, head_revision, known_revisions
from hbmlc_store.database import migrate as migrate_database
from hbmlc_store.errors import SetupError
from hbmlc_store.logs import configure_logs
from hbmlc_store.plain_errors import plain_errors
from hbmlc_store.schema import AccountRow
from hbmlc_store.schema_version import require_schema, schema_problem
from hbmlc_store.settings import Settings, load_settings

__all__ = ["create_key", "migrate"]

_SCOPES = """What it may do beyond reading what its account owns; repeat for more.
catalogs:write uploads and deletes catalogues; calibrations:write requests, aborts and deletes
calibrations; models:write trains models and moves the account's aliases; admin is all of these and
the account's keys. Default: reading only."""


@plain_errors
def migrate() -> None:
    """Bring the database to the schema of this release. Example: hbmlc migrate."""
    settings = load_settings()
    configure_logs(settings)
    with _open(settings) as database:
        if current_revision(database) not in {None, *known_revisions()}:
            raise SetupError(schema_problem(database))
        migrate_database(database)
    typer.echo(f"schema {head_revision()}")


@plain_errors
def create_key(
    account: Annotated[str, typer.Option(help="Account that the key belongs to.")],
    *,
    new_account: Annotated[
        bool, typer.Option("--new-account", help="Make the account; it must not be there yet.")
    ] = False,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    scope: Annotated[list[Scope] | None, typer.Option(help=_SCOPES)] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires.")] = None,
) -> None:
    """Make an API key and print it, this once.

    Example: hbmlc create-key --account survey --new-account --scope catalogs:write
    """
    settings = load_settings()
    configure_logs(settings)
    key_secret = settings.key_secret.get_secret_value()
    if not key_secret:
        raise SetupError("HBMLC_KEY_SECRET is empty; set it as the API has it.")
    with _open(settings) as database:
        require_schema(database)
        with database.transaction() as tx:
            _, key = create_api_key(
                tx,
                _make_account(tx, account) if new_account else _find_account(tx, account),
                name=name,
                scopes=scope or [],
                key_secret=key_secret,
                expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
            )
    typer.echo(key)


def _find_account(tx: Session, name: str) -> UUID:
    """Find the account that is meant; a typing mistake makes none."""
    accounts = {row.name: row.id for row in tx.scalars(select(AccountRow))}
    if name in accounts:
        return accounts[name]
    likely = difflib.get_close_matches(name, accounts, n=1)
    hint = f"did you mean {likely[0]}? " if likely else ""
    raise SetupError(f"There is no account {name}; {hint}--new-account makes one.")


def _make_account(tx: Session, name: str) -> UUID:
    """Make an account; a key for somebody else's would open what is theirs."""
    if tx.scalars(select(AccountRow.id).where(AccountRow.name == name)).one_or_none() is not None:
        raise SetupError(f"There is an account {name} already; leave --new-account out.")
    return ensure_account(tx, name)


@contextmanager
def _open(settings: Settings) -> Generator[Database]:
    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    try:
        yield database
    finally:
        database.close()
