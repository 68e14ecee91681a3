"""``/v1/trainings``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from hbmlc.schemas import CatalogState, Scope, Stage
from hbmlc_store.database import Database
from hbmlc_store.jobs.trainings import Trained, complete_training
from hbmlc_store.jobs.units import claim_units
from hbmlc_store.registry import NewVersion, register
from hbmlc_store.schema import OutboxRow

MakeCatalog = Callable[..., UUID]
VERDICT = {"is_better": True, "reason": "Lower loss.", "n_held_out": 40, "difference": -0.5}


@pytest.fixture(autouse=True)
def shipped(database: Database) -> None:
    with database.transaction() as tx:
        register(
            tx, NewVersion(name="shipped", version=1, digest="s1", bands=("g", "r", "i"), card={})
        )


@pytest.fixture
def request_of(make_catalog: MakeCatalog) -> Callable[..., dict[str, Any]]:
    def make(**change: Any) -> dict[str, Any]:
        catalog = make_catalog(CatalogState.READY, n_labelled=500)
        return {"name": "mine", "catalog_ids": [str(catalog)], **change}

    return make


@pytest.fixture
def training(client: TestClient, request_of: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    answer = client.post("/v1/trainings", json=request_of())
    assert answer.status_code == 202, answer.text
    return answer.json()


def finish(database: Database, training: dict[str, Any]) -> None:
    with database.transaction() as tx:
        (claim,) = claim_units(
            tx, UUID(training["id"]), Stage.TRAINING, limit=1, worker="w", lease=60
        )
        trained = Trained(
            digest=f"sha256:{training['id']}",
            bands=("g", "r", "i"),
            card={"licence": "x"},
            metrics={"new": {"nmad": 0.02}},
            verdict=VERDICT,
        )
        complete_training(tx, claim, trained=trained)


def test_a_request_is_queued_with_its_message_and_knows_its_number(
    client: TestClient, database: Database, request_of: Callable[..., dict[str, Any]]
) -> None:
    asked = request_of(seed=7, options={"train_steps": 20}, label="first", promote="never")

    answer = client.post("/v1/trainings", json=asked)

    document = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/trainings/{document['id']}"
    assert (document["name"], document["version"], document["phase"]) == ("mine", 1, "QUEUED")
    assert document["catalog_ids"] == asked["catalog_ids"]
    assert document["current"] == {"name": "shipped", "version": 1, "digest": "s1"}
    assert (document["seed"], document["label"], document["promote"]) == (7, "first", "never")
    assert document["options"] == {"train_steps": 20}
    assert document["result"] is None
    with database.transaction() as tx:
        sent = [(row.queue, row.payload) for row in tx.scalars(select(OutboxRow))]
    assert ("cpu", {"job_id": document["id"], "stage": "TRAINING"}) in sent


def test_a_finished_training_shows_what_it_made_and_auto_takes_it_from_then_on(
    client: TestClient, database: Database, training: dict[str, Any]
) -> None:
    finish(database, training)

    document = client.get(f"/v1/trainings/{training['id']}").json()
    calibration = client.post(
        "/v1/calibrations", json={"catalog_id": training["catalog_ids"][0]}
    ).json()
    history = client.get("/v1/models/mine/aliases").json()["items"]
    usage = client.get("/v1/usage").json()["items"]
    assert (document["phase"], document["progress"]["fraction"]) == ("COMPLETED", 1.0)
    assert document["result"]["reference"] == "mine:1"
    assert document["result"]["is_promoted"] is True
    assert document["result"]["gate"]["difference"] == -0.5
    assert calibration["model"]["name"] == "mine"
    assert history[0]["verdict"]["reason"] == "Lower loss."
    assert history[0]["set_by"] == f"training {training['id']}"
    assert [(found["calibration_id"], found["kind"]) for found in usage] == [
        (training["id"], "training")
    ]


def test_the_same_idempotency_key_makes_one_training(
    client: TestClient, request_of: Callable[..., dict[str, Any]]
) -> None:
    asked, headers = request_of(), {"Idempotency-Key": "once"}

    first, second = (client.post("/v1/trainings", json=asked, headers=headers) for _ in range(2))
    other = client.post("/v1/trainings", json={**asked, "seed": 9}, headers=headers)

    assert first.json() == second.json()
    assert other.json()["code"] == "idempotency-key-reused"
    assert len(client.get("/v1/trainings").json()["items"]) == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"name": "shipped"}, 409, "model-name-reserved"),
        ({"name": "Not A Name"}, 422, "invalid-request"),
        ({"catalog_ids": []}, 422, "invalid-request"),
        ({"catalog_ids": [str(UUID(int=1))] * 2}, 422, "invalid-request"),
        ({"catalog_ids": [str(uuid4())]}, 404, "no-such-catalog"),
        ({"options": {"draws": 100}}, 422, "invalid-request"),
        ({"promote": "always"}, 422, "invalid-request"),
    ],
)
def test_a_request_that_cannot_work_is_refused_with_its_own_code(
    client: TestClient,
    request_of: Callable[..., dict[str, Any]],
    change: dict[str, Any],
    status: int,
    code: str,
) -> None:
    answer = client.post("/v1/trainings", json=request_of(**change))

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_training_needs_the_scope_of_models(
    client: TestClient,
    account: UUID,
    key_of: Callable[..., str],
    request_of: Callable[..., dict[str, Any]],
) -> None:
    client.headers["Authorization"] = f"Bearer {key_of(account, [Scope.CALIBRATIONS_WRITE])}"

    answer = client.post("/v1/trainings", json=request_of())

    assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/events"), ("POST", "/abort"), ("DELETE", "")]
)
def test_another_accounts_training_does_not_exist(
    stranger: TestClient, training: dict[str, Any], method: str, path: str
) -> None:
    answer = stranger.request(method, f"/v1/trainings/{training['id']}{path}")

    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-training")
    assert stranger.get("/v1/trainings").json()["items"] == []


def test_a_training_is_no_calibration(client: TestClient, training: dict[str, Any]) -> None:
    answer = client.get(f"/v1/calibrations/{training['id']}")

    assert answer.json()["code"] == "no-such-calibration"


def test_an_aborted_training_ends_and_one_that_ended_cannot_be_aborted(
    client: TestClient, database: Database, request_of: Callable[..., dict[str, Any]]
) -> None:
    first, second = (client.post("/v1/trainings", json=request_of()).json() for _ in range(2))
    finish(database, second)

    aborted = client.post(f"/v1/trainings/{first['id']}/abort")
    refused = client.post(f"/v1/trainings/{second['id']}/abort")

    assert aborted.json()["phase"] == "ABORTED"
    assert (refused.status_code, refused.json()["code"]) == (409, "phase-conflict")


def test_a_deleted_training_is_gone_and_its_version_stays(
    client: TestClient, database: Database, training: dict[str, Any]
) -> None:
    finish(database, training)

    answer = client.delete(f"/v1/trainings/{training['id']}")

    assert answer.status_code == 204
    assert client.get(f"/v1/trainings/{training['id']}").status_code == 404
    assert client.get("/v1/models/mine/versions/1").status_code == 200


def test_pages_of_trainings_follow_each_other(
    client: TestClient, request_of: Callable[..., dict[str, Any]]
) -> None:
    ids = [client.post("/v1/trainings", json=request_of()).json()["id"] for _ in range(3)]

    first = client.get("/v1/trainings", params={"limit": 2})
    second = client.get("/v1/trainings", params={"limit": 2, "cursor": first.json()["next_cursor"]})

    assert 'rel="next"' in first.headers["Link"]
    assert [item["id"] for item in first.json()["items"] + second.json()["items"]] == ids[::-1]


def test_events_end_with_the_end_of_the_training(
    client: TestClient, database: Database, training: dict[str, Any]
) -> None:
    finish(database, training)

    with client.stream("GET", f"/v1/trainings/{training['id']}/events") as answer:
        lines = [line for line in answer.iter_lines() if line]

    assert lines[1] == "event: end"
    assert json.loads(lines[2].removeprefix("data: "))["result"]["reference"] == "mine:1"


def test_a_long_poll_answers_at_once_where_the_phase_is_another(
    client: TestClient, training: dict[str, Any]
) -> None:
    query = {"wait": 30, "phase": "EXECUTING"}

    assert client.get(f"/v1/trainings/{training['id']}", params=query).json()["phase"] == "QUEUED"
