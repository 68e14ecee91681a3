"""What holds for every call: keys, problems, ids, health and the committed OpenAPI document."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text
from starlette.requests import ClientDisconnect

from hbmlc.schemas import Scope
from hbmlc_service.app import create_app
from hbmlc_service.openapi import render
from hbmlc_store.database import Database
from hbmlc_store.errors import StoreUnavailableError
from hbmlc_store.objects import Objects
from hbmlc_store.registry import NewVersion, register
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


def test_a_wrong_method_names_all_right_ones(client: TestClient) -> None:
    answer = client.post("/v1/catalogs/01890000-0000-7000-8000-000000000000")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "DELETE, GET"


@pytest.mark.parametrize("path", ["/v1/catalogs", "/v1/api-keys", "/v1/nothing"])
def test_nothing_that_a_key_shows_is_kept_on_the_way(client: TestClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


def test_a_failure_has_the_id_of_its_request_and_closes_the_connection(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("hbmlc_service.handlers.catalogs.list_catalogs", _fail)

    answer = client.get("/v1/catalogs", headers={"X-Request-ID": "abc-1"})

    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"] == "abc-1"
    assert answer.headers["Connection"] == "close"
    assert "secret" not in answer.text


def _fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError("secret")


def test_a_store_that_is_away_is_said_to_be_so(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailableError("object-store-unavailable", "It does not answer.")

    monkeypatch.setattr("hbmlc_service.handlers.catalogs.list_catalogs", away)

    answer = client.get("/v1/catalogs")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_readiness_is_asked_once_a_second_however_many_ask(
    client: TestClient, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(Objects, "check_writable", lambda _: asked.append(1))

    with ThreadPoolExecutor(max_workers=8) as pool:
        statuses = list(pool.map(lambda _: client.get("/readyz").status_code, range(24)))

    assert set(statuses) == {200}
    assert len(asked) <= 3


def test_readiness_knows_what_waits(client: TestClient, database: Database, job: UUID) -> None:
    with database.transaction() as tx:
        tx.execute(text("UPDATE work_unit SET queued_at = now() - interval '1 hour'"))

    ages = client.get("/readyz").json()["oldest_ready_unit_seconds"]

    assert 3600 <= ages["cpu"] < 3700


def test_metrics_are_for_operators(client: TestClient, operator: TestClient, job: UUID) -> None:
    client.get("/v1/catalogs")
    refused = client.get("/metrics")
    shown = operator.get("/metrics").text

    assert refused.status_code == 403
    assert 'hbmlc_http_requests_total{method="GET",route="/v1/catalogs",status="200"} 1.0' in shown
    assert 'hbmlc_oldest_ready_unit_seconds{queue="cpu"}' in shown


def test_the_type_of_a_problem_leads_to_its_explanation(client: TestClient) -> None:
    problem = client.get("/v1/catalogs?cursor=nonsense").json()

    page = client.get(problem["type"])

    assert page.status_code == 200
    assert "bad-cursor" in page.text
    assert client.get("/problems/no-such-thing").status_code == 404


def test_a_key_renews_itself_without_being_admin(
    client: TestClient, account: UUID, key_of: Callable[..., str]
) -> None:
    old = {"Authorization": f"Bearer {key_of(account, [Scope.CATALOGS_WRITE])}"}

    made = client.post("/v1/api-keys/current/rotate?overlap=0", headers=old).json()
    new = {"Authorization": f"Bearer {made['secret']}"}

    assert made["scopes"] == ["catalogs:write"]
    assert client.get("/v1/catalogs", headers=new).status_code == 200
    assert client.get("/v1/catalogs", headers=old).status_code == 401


def test_a_repeated_creation_of_a_key_does_not_show_its_secret_again(client: TestClient) -> None:
    request = {"json": {"name": "x"}, "headers": {"Idempotency-Key": "once"}}

    first = client.post("/v1/api-keys", **request)
    second = client.post("/v1/api-keys", **request)

    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "secret-shown-once")
    assert len(client.get("/v1/api-keys").json()["items"]) == 2


def test_a_repeated_request_for_what_was_deleted_says_so(client: TestClient) -> None:
    request = {"json": {"name": "x"}, "headers": {"Idempotency-Key": "once"}}
    made = client.post("/v1/catalogs", **request).json()["id"]
    client.delete(f"/v1/catalogs/{made}")

    again = client.post("/v1/catalogs", **request)

    assert (again.status_code, again.json()["code"]) == (409, "idempotency-object-deleted")


@pytest.mark.parametrize("path", ["/v1/api-keys", "/v1/models", "/v1/audit-events"])
def test_pages_of_listings_follow_each_other(
    client: TestClient, database: Database, path: str
) -> None:
    for k in range(3):
        client.post("/v1/api-keys", json={"name": f"key {k}"})
        with database.transaction() as tx:
            register(tx, NewVersion(name="m", version=k + 1, digest=f"{k}", bands=(), card={}))
    everything = client.get(path).json()["items"]
    url: str | None = f"{path}?limit=1"
    seen: list[object] = []

    while url:
        page = client.get(url)
        seen += page.json()["items"]
        url = page.links["next"]["url"] if "next" in page.links else None

    assert len(everything) >= 3
    assert seen == everything


def test_every_change_is_in_the_audit_trail_with_its_request(
    client: TestClient, operator: TestClient, account: UUID
) -> None:
    headers = {"X-Request-ID": "abc-1"}
    catalog = client.post("/v1/catalogs", json={"name": "x"}, headers=headers).json()["id"]
    client.delete(f"/v1/catalogs/{catalog}")
    operator.post(f"/admin/v1/accounts/{account}/api-keys", json={"name": "x"})

    events = client.get("/v1/audit-events").json()["items"]

    assert [event["action"] for event in events] == [
        "api-key.create",
        "catalog.delete",
        "catalog.create",
    ]
    assert events[0]["actor"].startswith("operator ")
    assert (events[2]["object_id"], events[2]["request_id"]) == (catalog, "abc-1")
    assert operator.get("/admin/v1/audit-events").json()["items"] == events


def test_an_operator_makes_accounts_and_their_keys(
    client: TestClient, operator: TestClient
) -> None:
    made = operator.post("/admin/v1/accounts", json={"name": "new"}).json()
    twice = operator.post("/admin/v1/accounts", json={"name": "new"})
    key = operator.post(f"/admin/v1/accounts/{made['id']}/api-keys", json={"name": "x"}).json()
    headers = {"Authorization": f"Bearer {key['secret']}"}
    before = client.get("/v1/catalogs", headers=headers).status_code
    operator.delete(f"/admin/v1/accounts/{made['id']}/api-keys/{key['id']}")
    after = client.get("/v1/catalogs", headers=headers).status_code

    assert (twice.status_code, twice.json()["code"]) == (409, "account-exists")
    assert key["scopes"] == []
    assert (before, after) == (200, 401)
    assert made["id"] in [item["id"] for item in operator.get("/admin/v1/accounts").json()["items"]]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OSError(errno.ENOSPC, "No space left"), 507, "out-of-disk"),
        (OSError(errno.EIO, "secret"), 500, "internal-error"),
    ],
)
def test_a_disk_that_fails_is_told_as_a_problem(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: OSError, status: int, code: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("hbmlc_service.handlers.catalogs.list_catalogs", fail)

    answer = client.get("/v1/catalogs")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "secret" not in answer.text


def test_a_client_that_hangs_up_is_no_failure(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang_up(*_: object, **__: object) -> None:
        raise ClientDisconnect

    monkeypatch.setattr("hbmlc_service.handlers.catalogs.list_catalogs", hang_up)

    with structlog.testing.capture_logs() as lines:
        client.get("/v1/catalogs")

    assert not [line for line in lines if line["log_level"] == "error"]


def test_every_request_leaves_a_line_with_who_asked(client: TestClient, account: UUID) -> None:
    merged = [structlog.contextvars.merge_contextvars]
    with structlog.testing.capture_logs(processors=merged) as lines:
        client.get("/v1/catalogs", headers={"X-Request-ID": "abc-1"})

    (line,) = (line for line in lines if line["event"] == "Request answered")
    assert line["request_id"] == "abc-1"
    assert line["account_id"] == str(account)
    assert line["actor"].startswith("key ")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v1/catalogs", 200)


def test_an_address_with_a_slash_too_many_leads_nowhere(client: TestClient) -> None:
    answer = client.get("/readyz/", headers={"Host": "evil.example"}, follow_redirects=False)

    assert answer.status_code == 404
    assert "evil" not in answer.text


def test_of_two_keys_none_is_taken(client: TestClient) -> None:
    key = client.headers["Authorization"]

    answer = client.get(
        "/v1/catalogs", headers=[("Authorization", key), ("Authorization", "Bearer x")]
    )

    assert answer.status_code == 401


def test_a_repeated_creation_by_an_operator_makes_no_second_key(
    client: TestClient, operator: TestClient, account: UUID
) -> None:
    request = {"json": {"name": "x"}, "headers": {"Idempotency-Key": "once"}}
    url = f"/admin/v1/accounts/{account}/api-keys"

    first = operator.post(url, **request)
    second = operator.post(url, **request)
    own = client.post("/v1/api-keys", **request)

    assert (first.status_code, second.status_code, own.status_code) == (201, 409, 201)
    assert second.json()["code"] == "secret-shown-once"
