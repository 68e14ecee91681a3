"""The application over real PostgreSQL, called in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from hbmlc.schemas import Scope
from hbmlc_service.app import create_app
from hbmlc_store.accounts import create_api_key, ensure_account
from hbmlc_store.database import Database
from hbmlc_store.operators import create_operator_key
from hbmlc_store.settings import Settings


@pytest.fixture
def app_client(settings: Settings) -> Iterator[TestClient]:
    """A client without a key."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def key_of(database: Database, settings: Settings) -> Callable[..., str]:
    """Makes a key of an account, with all scopes unless told otherwise."""

    def make(account: UUID, scopes: Sequence[Scope] = tuple(Scope)) -> str:
        with database.transaction() as tx:
            return create_api_key(
                tx,
                account,
                name="test",
                scopes=scopes,
                key_secret=settings.key_secret.get_secret_value(),
            )[1]

    return make


@pytest.fixture
def client(app_client: TestClient, account: UUID, key_of: Callable[..., str]) -> TestClient:
    """A client with a key of the account."""
    app_client.headers["Authorization"] = f"Bearer {key_of(account)}"
    return app_client


@pytest.fixture
def operator(app_client: TestClient, database: Database, settings: Settings) -> TestClient:
    """A client with the key of one who runs the service."""
    with database.transaction() as tx:
        _, key = create_operator_key(
            tx, name="test", key_secret=settings.key_secret.get_secret_value()
        )
    return TestClient(app_client.app, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def stranger(database: Database, settings: Settings, key_of: Callable[..., str]) -> TestClient:
    """A client of another account."""
    with database.transaction() as tx:
        other = ensure_account(tx, "stranger")
    headers = {"Authorization": f"Bearer {key_of(other)}"}
    return TestClient(create_app(settings), headers=headers)
