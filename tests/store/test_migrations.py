"""The migrations make the schema that the code declares, and keep what is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from hbmlc_store.database import (
    Database,
    _alembic_config,
    current_revision,
    head_revision,
    migrate,
)
from hbmlc_store.embedded.postgres import EmbeddedPostgres
from hbmlc_store.registry import resolve
from hbmlc_store.schema import Base


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A database of its own without tables."""
    set_up = Database(postgres.superuser_url())
    with set_up.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP DATABASE IF EXISTS elsewhere"))
        connection.execute(text("CREATE DATABASE elsewhere OWNER hbmlc"))
    set_up.close()
    database = Database(postgres.url("elsewhere"))
    yield database
    database.close()


def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)

    assert differences == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database)

    assert current_revision(database) == head_revision()


def test_aliases_of_the_first_schema_point_where_they_did(empty: Database) -> None:
    move(empty, command.upgrade, "0001")
    with empty.transaction() as tx:
        for version in (1, 2):
            tx.execute(
                text("INSERT INTO model_version VALUES ('m', :n, 'd', '{g}', '{}')"), {"n": version}
            )
        tx.execute(text("INSERT INTO model_alias VALUES (DEFAULT, 'm', 'production', 2)"))

    migrate(empty)
    with empty.transaction() as tx:
        found = resolve(tx, None, "m@production").version
    move(empty, command.downgrade, "0001")

    with empty.transaction() as tx:
        former = tx.execute(text("SELECT name, alias, version FROM model_alias")).one()
    assert (found, tuple(former)) == (2, ("m", "production", 2))


def move(database: Database, step: object, revision: str) -> None:
    with database.engine.begin() as connection:
        config = _alembic_config()
        config.attributes["connection"] = connection
        step(config, revision)  # type: ignore[operator]
