"""Fixtures of every test: a real PostgreSQL and a real broker, started once, migrated as in production."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from hbmlc_store.accounts import ensure_account
from hbmlc_store.database import Database, migrate
from hbmlc_store.embedded.broker import EmbeddedBroker, start_broker
from hbmlc_store.embedded.postgres import EmbeddedPostgres, start_postgres
from hbmlc_store.objects import Objects
from hbmlc_store.schema import Base
from hbmlc_store.settings import Settings


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    folder = tmp_path_factory.mktemp("postgres")
    server = start_postgres(folder / "data", password="test", log=folder / "log")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    folder = tmp_path_factory.mktemp("broker")
    server = start_broker(folder, password="test", log=folder / "log")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated(postgres: EmbeddedPostgres) -> Iterator[Database]:
    database = Database(postgres.url())
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def database(migrated: Database) -> Database:
    """The migrated database, emptied."""
    empty_tables(migrated)
    return migrated


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects((tmp_path / "objects").as_uri())


@pytest.fixture
def settings(
    database: Database, broker: EmbeddedBroker, objects: Objects, tmp_path: Path
) -> Settings:
    return Settings(
        home=tmp_path,
        database_url=SecretStr(database.url),
        broker_url=SecretStr(broker.url()),
        object_store=objects.url,
        key_secret=SecretStr("test-secret"),
    )


@pytest.fixture
def account(database: Database) -> UUID:
    with database.transaction() as tx:
        return ensure_account(tx, "observatory")


def empty_tables(database: Database) -> None:
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with database.transaction() as tx:
        tx.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
