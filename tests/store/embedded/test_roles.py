"""The service owns its database and nothing else, also in homes of former releases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from hbmlc_store.database import Database, current_revision, head_revision, migrate
from hbmlc_store.embedded.postgres import EmbeddedPostgres, start_postgres

SUPER, SERVICE = "super-secret", "service-secret"


def start(folder: Path) -> EmbeddedPostgres:
    return start_postgres(
        folder / "data", password=SERVICE, superuser_password=SUPER, log=folder / "log"
    )


@pytest.fixture
def of_former_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which the service was the superuser and owned everything as such."""
    with monkeypatch.context() as former:
        former.setattr("hbmlc_store.embedded.data_folder.SUPERUSER", "hbmlc")
        former.setattr("hbmlc_store.embedded.postgres.ensure_roles", lambda *_, **__: None)
        server = start_postgres(
            tmp_path / "data", password=SERVICE, superuser_password=SERVICE, log=tmp_path / "log"
        )
    with psycopg.connect(
        server.url("postgres").replace("+psycopg", ""), autocommit=True
    ) as connection:
        connection.execute("CREATE DATABASE hbmlc")
    database = Database(server.url())
    migrate(database)
    with database.transaction() as tx:
        tx.execute(text("INSERT INTO account (id, name) VALUES (gen_random_uuid(), 'survey')"))
        tx.execute(text("CREATE TYPE mood AS ENUM ('good')"))
        tx.execute(text("CREATE SEQUENCE loose"))
        tx.execute(text('CREATE VIEW "Odd name" AS SELECT 1 AS one'))
        tx.execute(text("CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2'"))
    database.close()
    server.stop()
    return tmp_path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    running = start(tmp_path)
    yield running
    running.stop()


def forbidden(tmp_path: Path) -> dict[str, str]:
    return {
        "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
        "write a file": f"COPY (SELECT 1) TO '{tmp_path}/file'",
        "read a file": "SELECT pg_read_file('/etc/passwd')",
        "make a role": "CREATE ROLE other SUPERUSER",
        "make a database": "CREATE DATABASE other",
        "become superuser": "ALTER ROLE hbmlc SUPERUSER",
        "change a setting": "ALTER SYSTEM SET log_statement = 'all'",
    }


@pytest.mark.parametrize("deed", list(forbidden(Path())))
def test_the_service_may_not(server: EmbeddedPostgres, tmp_path: Path, deed: str) -> None:
    with (
        psycopg.connect(server.url().replace("+psycopg", ""), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(forbidden(tmp_path)[deed])


def test_the_service_may_not_look_into_other_databases(server: EmbeddedPostgres) -> None:
    for other in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(server.url(other).replace("+psycopg", ""))


def test_migrations_run_as_the_service(server: EmbeddedPostgres) -> None:
    database = Database(server.url())

    migrate(database)

    assert current_revision(database) == head_revision()
    database.close()


def test_a_home_of_a_former_release_is_handed_over(of_former_release: Path) -> None:
    server = start(of_former_release)
    database = Database(server.url())

    with database.transaction() as tx:
        assert tx.scalars(text("SELECT name FROM account")).all() == ["survey"]
        assert tx.scalars(text("SELECT rolsuper FROM pg_roles WHERE rolname = 'hbmlc'")).one() is (
            False
        )
        owners = tx.execute(
            text(
                "SELECT relname, relowner::regrole::text FROM pg_class "
                "WHERE relnamespace = 'public'::regnamespace"
            )
        ).all()
        assert {owner for _, owner in owners} == {"hbmlc"}
        # What only an owner may do.
        tx.execute(text("ALTER TABLE account ADD COLUMN note text"))
        tx.execute(text("ALTER TYPE mood ADD VALUE 'bad'"))
        tx.execute(text("DROP FUNCTION two()"))
    migrate(database)
    database.close()
    server.stop()


def test_handing_over_may_be_cut_off_anywhere(
    of_former_release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("_exists", "_hand_over"):
        with monkeypatch.context() as broken:
            broken.setattr(f"hbmlc_store.embedded.roles.{step}", fail)
            with pytest.raises(RuntimeError):
                start(of_former_release)

    server = start(of_former_release)

    with psycopg.connect(server.url().replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT name FROM account").fetchall() == [("survey",)]
    server.stop()


def fail(*_: object, **__: object) -> None:
    raise RuntimeError("cut off")


def test_the_former_password_opens_nothing_but_the_service(of_former_release: Path) -> None:
    server = start(of_former_release)

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(
            host="127.0.0.1", port=server.port, user="postgres", password=SERVICE, dbname="postgres"
        )

    server.stop()
