"""Every route: without a key, with another account's, with one that may nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from hbmlc.schemas import CatalogState, TrainingRequest
from hbmlc_service.openapi import render
from hbmlc_store.accounts import create_api_key
from hbmlc_store.database import Database
from hbmlc_store.jobs.trainings import create_training
from hbmlc_store.registry import NewVersion, register

PUBLIC = {"/healthz", "/readyz", "/problems/{code}"}
METHODS = {"get", "put", "post", "delete", "patch"}


def routes() -> Iterator[tuple[str, str]]:
    for path, operations in json.loads(render())["paths"].items():
        for method in sorted(METHODS & set(operations)):
            yield method.upper(), path


OURS = [(method, path) for method, path in routes() if path not in PUBLIC]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/catalogs": {"name": "x"},
    "/v1/catalogs/{catalog_id}/mapping": {"id": "x"},
    "/v1/models/{name}/aliases/{alias}": {"version": 1},
    "/v1/api-keys": {"name": "x"},
    "/admin/v1/accounts": {"name": "x"},
    "/admin/v1/accounts/{account_id}/api-keys": {"name": "x"},
    "/admin/v1/models/{name}/aliases/{alias}": {"version": 1},
}


@pytest.fixture
def owned(
    database: Database,
    account: UUID,
    make_job: Callable[[UUID], UUID],
    make_catalog: Callable[..., UUID],
) -> dict[str, str]:
    """Something of each kind that belongs to the account."""
    calibration = make_job(account)
    catalog = make_catalog(CatalogState.READY, n_labelled=500)
    with database.transaction() as tx:
        register(
            tx,
            NewVersion(
                name="mine", version=1, digest="ab", bands=("g",), card={}, account_id=account
            ),
        )
        training = create_training(
            tx, account, TrainingRequest(name="own", catalog_ids=[catalog])
        ).id
        row, _ = create_api_key(tx, account, name="x", scopes=[], key_secret="s")
    return {
        "catalog_id": str(catalog),
        "calibration_id": str(calibration),
        "training_id": str(training),
        "key_id": str(row.id),
        "account_id": str(account),
        "name": "mine",
        "version": "1",
        "alias": "production",
    }


def request_of(method: str, path: str, owned: dict[str, str]) -> dict[str, Any]:
    names = {**owned, "name": "photoz.parquet"} if "/results/" in path else owned
    url = re.sub(r"\{(\w+)\}", lambda found: names[found[1]], path)
    body = BODIES.get(path)
    if path == "/v1/calibrations":
        body = {"catalog_id": owned["catalog_id"]}
    if path == "/v1/trainings":
        body = {"name": "x", "catalog_ids": [owned["catalog_id"]]}
    return {"method": method, "url": url, **({"json": body} if method != "GET" and body else {})}


@pytest.mark.parametrize(("method", "path"), OURS)
def test_no_route_answers_without_a_key(
    app_client: TestClient, owned: dict[str, str], method: str, path: str
) -> None:
    answer = app_client.request(**request_of(method, path, owned))

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(("method", "path"), OURS)
def test_another_account_sees_and_changes_nothing(
    client: TestClient, stranger: TestClient, owned: dict[str, str], method: str, path: str
) -> None:
    before = everything(client)

    answer = stranger.request(**request_of(method, path, owned))

    assert everything(client) == before
    if path.startswith(("/admin/", "/metrics")):
        assert answer.status_code == 403
    elif "{" in path:
        assert answer.status_code == 404
    shown = answer.text
    assert not any(
        owned[name] in shown for name in owned if name.endswith("_id") and answer.is_success
    )


@pytest.mark.parametrize(("method", "path"), [found for found in OURS if found[0] != "GET"])
def test_a_key_without_scopes_changes_nothing(
    client: TestClient,
    account: UUID,
    key_of: Callable[..., str],
    owned: dict[str, str],
    method: str,
    path: str,
) -> None:
    before = everything(client)
    request = request_of(method, path, owned)

    answer = client.request(**request, headers={"Authorization": f"Bearer {key_of(account, [])}"})

    if path == "/v1/api-keys/current/rotate":
        # A key may renew itself; it gains nothing by it.
        assert answer.json()["scopes"] == []
    else:
        assert answer.status_code == 403
        assert everything(client) == before


@pytest.mark.parametrize(
    ("method", "path"), [found for found in OURS if found[1].startswith("/v1/")]
)
def test_an_operator_sees_no_accounts_objects(
    operator: TestClient, owned: dict[str, str], method: str, path: str
) -> None:
    answer = operator.request(**request_of(method, path, owned))

    assert (answer.status_code, answer.json()["code"]) == (403, "account-key-needed")


def everything(client: TestClient) -> list[Any]:
    urls = ["catalogs", "calibrations", "trainings", "models", "audit-events", "usage"]
    return [client.get(f"/v1/{url}?limit=200").json() for url in urls]
