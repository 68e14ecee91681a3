"""``/v1/models``."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

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


def test_an_alias_moves_and_tells_its_history(client: TestClient) -> None:
    answer = client.put("/v1/models/lsst/aliases/production", json={"version": 2})

    history = client.get("/v1/models/lsst/aliases").json()["items"]
    assert answer.json()["version"] == 2
    assert [item["version"] for item in history] == [2, 1]


@pytest.mark.parametrize("version", [3, 0, 2**40])
def test_an_alias_needs_a_version_that_exists(client: TestClient, version: int) -> None:
    answer = client.put("/v1/models/lsst/aliases/production", json={"version": version})

    assert answer.status_code in {404, 422}


def test_an_unknown_version_is_not_found(client: TestClient) -> None:
    answer = client.get("/v1/models/lsst/versions/9")

    assert answer.status_code == 404
    assert answer.json()["code"] == "no-such-model"
