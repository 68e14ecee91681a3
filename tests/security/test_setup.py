"""What an operator set up wrongly is said in one line that names the mend, and opens nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, text

from hbmlc_store.accounts import authenticate, ensure_account
from hbmlc_store.database import Database, head_revision
from hbmlc_store.embedded.postgres import EmbeddedPostgres
from hbmlc_store.schema import AccountRow
from hbmlc_store.settings import Settings

COMMANDS = {
    "check": ["check"],
    "api": ["api"],
    "worker": ["worker", "--queue", "cpu"],
    "relay": ["worker", "--queue", "relay"],
    "register-models": ["register-models"],
    "create-key": ["create-key", "--account", "survey"],
    "migrate": ["migrate"],
    "serve": ["serve"],
}


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return {**settings.child_environment(), "HBMLC_PORT": "0"}


def run(
    name: str, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hbmlc", *COMMANDS[name], *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def the_line_of(done: subprocess.CompletedProcess[str], name: str) -> str:
    """The one line with which a command ended."""
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"hbmlc {name.replace('relay', 'worker')}: ")
    return line


@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_mistyped_variable_is_refused_with_the_right_name(
    environment: dict[str, str], name: str
) -> None:
    done = run(name, {**environment, "HBMLC_DATABSE_URL": "postgresql://user:secret-word@host/x"})

    line = the_line_of(done, name)
    assert "HBMLC_DATABSE_URL" in line
    assert "did you mean HBMLC_DATABASE_URL?" in line
    assert "secret-word" not in line


def test_a_variable_like_none_points_to_the_list(environment: dict[str, str]) -> None:
    line = the_line_of(run("migrate", {**environment, "HBMLC_QQQQ": "1"}), "migrate")

    assert "docs/operations.md" in line


def test_variables_of_the_client_are_none_of_ours(environment: dict[str, str]) -> None:
    others = {"HBMLC_URL": "http://somewhere", "HBMLC_API_KEY": "hbk_x", "HBMLC_LISTEN": "1:2"}

    assert run("migrate", {**environment, **others}).returncode == 0


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HBMLC_PORT", "secret-word"),
        ("HBMLC_DATABASE_URL", "secret-word"),
        ("HBMLC_DATABASE_URL", "postgresql+psycopg://user:x@host:secret-word/name"),
        ("HBMLC_DATABASE_URL", "oracle9://user:secret-word@host/name"),
    ],
)
def test_a_bad_value_is_named_and_not_shown(
    environment: dict[str, str], variable: str, value: str
) -> None:
    line = the_line_of(run("migrate", {**environment, variable: value}), "migrate")

    assert variable in line
    assert "secret-word" not in line


def test_an_empty_variable_is_an_unset_one(environment: dict[str, str]) -> None:
    empty = {"HBMLC_OBJECT_STORE_ENDPOINT": "", "HBMLC_MAX_ROWS": ""}

    assert run("migrate", {**environment, **empty}).returncode == 0


@pytest.fixture
def blank(postgres: EmbeddedPostgres, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment of a database that nobody has migrated."""
    set_up = Database(postgres.superuser_url())
    with set_up.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP DATABASE IF EXISTS blank"))
        connection.execute(text("CREATE DATABASE blank OWNER hbmlc"))
    set_up.close()
    return {**environment, "HBMLC_DATABASE_URL": postgres.url("blank")}


NEED_SCHEMA = ["api", "worker", "relay", "register-models", "create-key"]


@pytest.mark.parametrize("name", NEED_SCHEMA)
def test_a_command_before_migrate_says_so(blank: dict[str, str], name: str) -> None:
    assert "run `hbmlc migrate`" in the_line_of(run(name, blank), name)


def set_revision(environment: dict[str, str], revision: str) -> None:
    assert run("migrate", environment).returncode == 0
    database = Database(environment["HBMLC_DATABASE_URL"])
    with database.transaction() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    database.close()


@pytest.mark.parametrize("name", NEED_SCHEMA)
def test_an_older_schema_is_refused_and_the_command_named(blank: dict[str, str], name: str) -> None:
    set_revision(blank, "0001")

    line = the_line_of(run(name, blank), name)

    assert "schema 0001" in line
    assert f"needs {head_revision()}" in line
    assert "run `hbmlc migrate`" in line


@pytest.mark.parametrize("name", [*NEED_SCHEMA, "migrate"])
def test_a_newer_schema_is_refused(blank: dict[str, str], name: str) -> None:
    set_revision(blank, "9999")

    line = the_line_of(run(name, blank), name)

    assert "schema 9999" in line
    assert "newer than this release" in line


@pytest.mark.parametrize("name", ["migrate", "create-key"])
def test_a_database_that_is_down_is_one_line_without_its_password(
    environment: dict[str, str], name: str
) -> None:
    nobody_listens = "postgresql+psycopg://hbmlc:secret-word@127.0.0.1:1/hbmlc"

    line = the_line_of(run(name, {**environment, "HBMLC_DATABASE_URL": nobody_listens}), name)

    assert "does not answer" in line
    assert "secret-word" not in line


def accounts(database: Database) -> set[str]:
    with database.transaction() as tx:
        return set(tx.scalars(select(AccountRow.name)))


def test_a_mistyped_account_gets_no_key_and_is_not_made(
    environment: dict[str, str], database: Database
) -> None:
    with database.transaction() as tx:
        ensure_account(tx, "survey")

    line = the_line_of(run("create-key", environment, "--account", "surveey"), "create-key")

    assert "did you mean survey?" in line
    assert "--new-account" in line
    assert accounts(database) == {"survey"}


def test_a_new_account_is_made_when_it_is_asked_for_and_only_once(
    environment: dict[str, str], database: Database
) -> None:
    first = run("create-key", environment, "--new-account")
    second = run("create-key", environment, "--new-account")

    assert first.returncode == 0, first.stderr
    assert "leave --new-account out" in the_line_of(second, "create-key")
    with database.transaction() as tx:
        assert tx.scalars(select(func.count()).select_from(AccountRow)).one() == 1


def test_a_key_without_scopes_may_only_read(
    environment: dict[str, str], database: Database
) -> None:
    with database.transaction() as tx:
        ensure_account(tx, "survey")

    done = run("create-key", environment)

    with database.transaction() as tx:
        identity = authenticate(tx, done.stdout.strip(), key_secret="test-secret")
    assert identity is not None
    assert identity.scopes == frozenset()


def test_the_help_says_what_each_scope_adds() -> None:
    done = run("create-key", {**os.environ, "COLUMNS": "200"}, "--help")

    for scope in ("catalogs:write", "calibrations:write", "models:write", "admin"):
        assert scope in done.stdout
    assert "reading only" in done.stdout


def test_a_check_says_who_does_not_answer(environment: dict[str, str]) -> None:
    well = run("check", environment)
    ill = run("check", {**environment, "HBMLC_BROKER_URL": "redis://:secret-word@127.0.0.1:1/0"})

    assert well.returncode == 0, well.stderr
    assert well.stdout.splitlines() == ["database: ok", "broker: ok", "object store: ok"]
    assert the_line_of(ill, "check") == "hbmlc check: broker cannot be worked with."
    assert "secret-word" not in ill.stdout
