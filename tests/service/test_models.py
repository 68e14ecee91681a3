"""``/v1/models``."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from hbmlc.schemas import Scope
from hbmlc_store.database import Database
from hbmlc_store.registry import NewVersion, register


@pytest.fixture(autouse=True)
def versions(database: Database) -> None:
    with database.transaction() as tx:
        for version in (1, 2):
            register(
                tx,
                NewVersion(
                    name="lsst",
                    version=version,
                    digest=f"{version}" * 64,
                    bands=("g", "r"),
                    card={"licence": "CC-BY-4.0"},
                ),
            )


def test_versions_show_their_card_and_aliases(client: TestClient) -> None:
    document = client.get("/v1/models/lsst/versions/1").json()

    assert document["card"] == {"licence": "CC-BY-4.0"}
    assert document["aliases"] == ["production"]


def test_the_listing_shows_every_version_newest_first(client: TestClient) -> None:
    items = client.get("/v1/models").json()["items"]

    assert [item["version"] for item in items] == [2, 1]


def test_an_alias_moves_and_tells_its_history(client: TestClient, operator: TestClient) -> None:
    answer = operator.put("/admin/v1/models/lsst/aliases/production", json={"version": 2})

    history = client.get("/v1/models/lsst/aliases").json()["items"]
    assert answer.json()["version"] == 2
    assert [item["version"] for item in history] == [2, 1]


@pytest.mark.parametrize("version", [3, 0, 2**40])
def test_an_alias_needs_a_version_that_exists(operator: TestClient, version: int) -> None:
    answer = operator.put("/admin/v1/models/lsst/aliases/production", json={"version": version})

    assert answer.status_code in {404, 422}


def test_an_unknown_version_is_not_found(client: TestClient) -> None:
    answer = client.get("/v1/models/lsst/versions/9")

    assert answer.status_code == 404
    assert answer.json()["code"] == "no-such-model"


@pytest.mark.parametrize("scope", list(Scope))
def test_no_scope_of_an_account_moves_an_alias_of_a_shipped_model(
    client: TestClient, account: UUID, key_of: Callable[..., str], scope: Scope
) -> None:
    client.headers["Authorization"] = f"Bearer {key_of(account, [scope])}"

    ours = client.put("/v1/models/lsst/aliases/production", json={"version": 2})
    theirs = client.put("/admin/v1/models/lsst/aliases/production", json={"version": 2})

    assert (ours.status_code, theirs.status_code) == (403, 403)
    assert theirs.json()["code"] == "operator-key-needed"
    assert client.get("/v1/models/lsst/versions/1").json()["aliases"] == ["production"]


@pytest.fixture
def own(database: Database, account: UUID) -> str:
    with database.transaction() as tx:
        register(
            tx,
            NewVersion(
                name="mine", version=1, digest="ab", bands=("g",), card={}, account_id=account
            ),
        )
    return "mine"


def test_an_account_moves_the_aliases_of_its_own_model(
    client: TestClient, account: UUID, key_of: Callable[..., str], own: str
) -> None:
    client.headers["Authorization"] = f"Bearer {key_of(account, [Scope.MODELS_WRITE])}"

    answer = client.put(f"/v1/models/{own}/aliases/production", json={"version": 1})

    assert answer.status_code == 200
    assert answer.json()["set_by"].startswith("key ")
    assert client.get(f"/v1/models/{own}/versions/1").json()["is_shipped"] is False


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "versions/1"), ("GET", "aliases"), ("PUT", "aliases/production")],
)
def test_another_accounts_model_does_not_exist(
    stranger: TestClient, own: str, method: str, path: str
) -> None:
    body = {"version": 1} if method == "PUT" else None
    answer = stranger.request(method, f"/v1/models/{own}/{path}", json=body)

    names = {item["name"] for item in stranger.get("/v1/models").json()["items"]}
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-model")
    assert names == {"lsst"}
