"""Commands for those who run the service on machines of their own."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from hbmlc.schemas import Scope
from hbmlc_store.accounts import authenticate
from hbmlc_store.commands import create_key, migrate
from hbmlc_store.database import Database, head_revision
from hbmlc_store.settings import Settings


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return settings.child_environment()


def invoke(command: object, environment: dict[str, str], *arguments: str) -> str:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    result = CliRunner().invoke(app, list(arguments), env=environment)
    assert result.exit_code == 0, result.output
    return result.stdout.strip().splitlines()[-1]


def test_migrate_tells_the_revision(environment: dict[str, str]) -> None:
    assert invoke(migrate, environment).startswith(f"schema {head_revision()}")


def test_a_created_key_works(environment: dict[str, str], database: Database) -> None:
    key = invoke(
        create_key,
        environment,
        *("--account", "survey", "--new-account", "--scope", "catalogs:write"),
    )

    with database.transaction() as tx:
        identity = authenticate(tx, key, key_secret="test-secret")
    assert identity is not None
    assert identity.scopes == {Scope.CATALOGS_WRITE}
