"""What holds for every call: keys, problems, ids, health and the committed OpenAPI document."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from hbmlc.schemas import Scope
from hbmlc_service.app import create_app
from hbmlc_service.openapi import render
from hbmlc_store.settings import Settings

OPENAPI = Path(__file__).parents[2] / "openapi" / "openapi.json"


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer hbk_x", "Basic eDp5", "Bearer ü"])
def test_without_a_valid_key_nothing_is_shown(app_client: TestClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}

    answer = app_client.get("/v1/catalogs", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/catalogs", {"name": "x"}),
        ("POST", "/v1/calibrations", {"catalog_id": "01890000-0000-7000-8000-000000000000"}),
        ("PUT", "/v1/models/m/aliases/production", {"version": 1}),
        ("POST", "/v1/api-keys", {"name": "x"}),
    ],
)
def test_a_key_without_the_scope_may_not_write(
    app_client: TestClient,
    account: UUID,
    key_of: Callable[..., str],
    method: str,
    path: str,
    body: dict[str, object],
) -> None:
    headers = {"Authorization": f"Bearer {key_of(account, [])}"}

    answer = app_client.request(method, path, json=body, headers=headers)

    assert answer.status_code == 403
    assert answer.json()["code"] == "scope-missing"
    assert app_client.get("/v1/catalogs", headers=headers).status_code == 200


def test_a_new_key_is_shown_once_and_works_until_revoked(client: TestClient) -> None:
    made = client.post(
        "/v1/api-keys", json={"name": "pipeline", "scopes": [Scope.CATALOGS_WRITE]}
    ).json()
    headers = {"Authorization": f"Bearer {made['secret']}"}
    accepted = client.get("/v1/catalogs", headers=headers)
    listed = client.get("/v1/api-keys").json()["items"]
    client.delete(f"/v1/api-keys/{made['id']}")
    refused = client.get("/v1/catalogs", headers=headers)

    assert (accepted.status_code, refused.status_code) == (200, 401)
    assert all(item["secret"] is None for item in listed)


def test_an_unknown_path_is_a_problem_too(client: TestClient) -> None:
    answer = client.get("/v2/nothing")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not-found"


def test_a_wrong_method_is_a_problem_too(client: TestClient) -> None:
    answer = client.post("/healthz")

    assert answer.status_code == 405
    assert answer.json()["code"] == "method-not-allowed"


def test_the_callers_request_id_comes_back(client: TestClient) -> None:
    answer = client.get("/v1/nothing", headers={"X-Request-ID": "abc-1"})

    assert answer.headers["X-Request-ID"] == answer.json()["request_id"] == "abc-1"


def test_a_request_id_that_could_forge_a_log_line_is_replaced(client: TestClient) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": "a b;c"})

    assert answer.headers["X-Request-ID"] != "a b;c"


def test_a_failure_shows_no_traceback(settings: Settings, client: TestClient) -> None:
    broken = settings.model_copy(
        update={"database_url": SecretStr("postgresql+psycopg://nobody@127.0.0.1:1/nothing")}
    )
    with TestClient(create_app(broken), raise_server_exceptions=False) as lost:
        answer = lost.get("/v1/catalogs", headers=client.headers)
        ready = lost.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["code"] == "database-unavailable"
    assert "Traceback" not in answer.text
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"] == "unreachable"


def test_a_working_service_is_ready(client: TestClient) -> None:
    document = client.get("/readyz").json()

    assert document["status"] == "ready"
    assert document["checks"] == {"database": "ok", "objects": "ok"}
    assert client.get("/healthz").json()["status"] == "ok"


def test_the_api_refuses_to_start_without_a_secret(settings: Settings) -> None:
    with pytest.raises(ValueError, match="HBMLC_KEY_SECRET"):
        create_app(settings.model_copy(update={"key_secret": SecretStr("")}))


def test_the_committed_openapi_document_is_the_present_one() -> None:
    assert OPENAPI.read_text() == render(), (
        "run: python -m hbmlc_service.openapi openapi/openapi.json"
    )


def test_every_reference_of_the_openapi_document_resolves() -> None:
    document = json.loads(OPENAPI.read_text())
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    def references(node: object) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(references(value) for value in node.values()))
        if isinstance(node, list):
            return set().union(*(references(value) for value in node))
        return set()

    assert references(document) <= schemas


def test_the_api_starts_without_the_science() -> None:
    script = (
        "import sys, hbmlc_service.app;"
        "print(*{'torch', 'pymc', 'celery', 'hbmlc_models', 'numpy'} & set(sys.modules))"
    )

    answer = subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.PIPE)

    assert answer.stdout.split() == []
