"""``/v1/calibrations``."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from hbmlc.schemas import CatalogState, Stage
from hbmlc_store.database import Database
from hbmlc_store.jobs.units import claim_units, fail_unit
from hbmlc_store.registry import NewVersion, register
from hbmlc_store.schema import CatalogRow, OutboxRow

MakeCatalog = Callable[[CatalogState], UUID]


@pytest.fixture
def model(database: Database) -> str:
    with database.transaction() as tx:
        register(
            tx, NewVersion(name="m", version=1, digest="ab" * 32, bands=("g", "r", "i"), card={})
        )
        register(
            tx, NewVersion(name="wide", version=1, digest="cd" * 32, bands=("g", "y"), card={})
        )
    return "m"


def reject(database: Database, catalog: UUID) -> None:
    with database.transaction() as tx:
        ingest = tx.get_one(CatalogRow, catalog).ingest_job_id
        assert ingest is not None
        (claim,) = claim_units(tx, ingest, Stage.INGEST, limit=1, worker="w", lease=60)
        problem = {"code": "duplicate-ids", "detail": "Two rows share the id 7.", "errors": []}
        fail_unit(tx, claim, problem=problem, is_fatal=True, max_attempts=3)


def test_a_request_pins_its_inputs_and_is_queued_with_its_message(
    client: TestClient, database: Database, make_catalog: MakeCatalog, model: str
) -> None:
    catalog = make_catalog(CatalogState.READY)
    request = {
        "catalog_id": str(catalog),
        "model": "m@production",
        "options": {"draws": 200},
        "seed": 7,
        "label": "first",
    }

    answer = client.post("/v1/calibrations", json=request)

    document = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/calibrations/{document['id']}"
    assert document["phase"] == "QUEUED"
    assert document["model"] == {"name": "m", "version": 1, "digest": "ab" * 32}
    assert document["catalog_digest"] == "cd" * 32
    assert (document["options"], document["seed"]) == ({"draws": 200}, 7)
    assert document["label"] == "first"
    with database.transaction() as tx:
        sent = [row.payload for row in tx.scalars(select(OutboxRow))]
    assert {"job_id": document["id"], "stage": "SURVEY"} in sent


@pytest.mark.parametrize("reference", [None, "auto", "m", "m:1", "m@production"])
def test_each_way_to_name_a_model_finds_it(
    client: TestClient, make_catalog: MakeCatalog, model: str, reference: str | None
) -> None:
    request = {"catalog_id": str(make_catalog(CatalogState.READY)), "model": reference}

    answer = client.post("/v1/calibrations", json=request)

    assert answer.json()["model"]["name"] == "m"


def test_a_model_with_bands_more_is_chosen_where_none_has_just_these(
    client: TestClient, database: Database, make_catalog: MakeCatalog
) -> None:
    bands = ("u", "g", "r", "i", "z", "y")
    with database.transaction() as tx:
        register(tx, NewVersion(name="more", version=1, digest="ab" * 32, bands=bands, card={}))

    answer = client.post(
        "/v1/calibrations", json={"catalog_id": str(make_catalog(CatalogState.READY))}
    )

    assert (answer.status_code, answer.json()["model"]["name"]) == (202, "more")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"model": "nothing"}, 404, "no-such-model"),
        ({"model": "m:x"}, 422, "bad-model-reference"),
        ({"model": "wide:1"}, 422, "bands-missing"),
        ({"options": {"draws": 1}}, 422, "invalid-request"),
        ({"options": {"surprise": 1}}, 422, "invalid-request"),
        ({"seed": -1}, 422, "invalid-request"),
        ({"catalog_id": "01890000-0000-7000-8000-000000000000"}, 404, "no-such-catalog"),
        ({"catalog_id": "x"}, 422, "invalid-request"),
    ],
)
def test_a_bad_request_has_its_own_code(
    client: TestClient,
    make_catalog: MakeCatalog,
    model: str,
    change: dict[str, object],
    status: int,
    code: str,
) -> None:
    request = {"catalog_id": str(make_catalog(CatalogState.READY)), **change}

    answer = client.post("/v1/calibrations", json=request)

    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("state", [CatalogState.CREATED, CatalogState.INGESTING])
def test_a_catalogue_that_is_not_ready_cannot_be_calibrated_yet(
    client: TestClient, make_catalog: MakeCatalog, model: str, state: CatalogState
) -> None:
    answer = client.post("/v1/calibrations", json={"catalog_id": str(make_catalog(state))})

    assert answer.status_code == 409
    assert answer.json()["code"] == "catalog-not-ready"


def test_a_rejected_catalogue_answers_with_its_own_problem(
    client: TestClient, database: Database, make_catalog: MakeCatalog, model: str
) -> None:
    catalog = make_catalog(CatalogState.INGESTING)
    reject(database, catalog)

    answer = client.post("/v1/calibrations", json={"catalog_id": str(catalog)})

    assert answer.status_code == 422
    assert answer.json()["code"] == "duplicate-ids"
    assert "share the id 7" in answer.json()["detail"]
    shown = client.get(f"/v1/catalogs/{catalog}").json()
    assert shown["problem"]["code"] == "duplicate-ids"


def test_the_same_idempotency_key_makes_one_calibration(
    client: TestClient, make_catalog: MakeCatalog, model: str
) -> None:
    request = {
        "json": {"catalog_id": str(make_catalog(CatalogState.READY))},
        "headers": {"Idempotency-Key": "once"},
    }

    first = client.post("/v1/calibrations", **request)
    second = client.post("/v1/calibrations", **request)

    assert first.json() == second.json()
    assert len(client.get("/v1/calibrations").json()["items"]) == 1


def test_a_long_poll_returns_at_once_when_the_phase_is_another(
    client: TestClient, job: UUID
) -> None:
    document = client.get(f"/v1/calibrations/{job}?wait=30&phase=EXECUTING").json()

    assert document["phase"] == "QUEUED"


def test_a_long_poll_sees_the_change(client: TestClient, database: Database, job: UUID) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.get, f"/v1/calibrations/{job}?wait=20&phase=QUEUED")
        with database.transaction() as tx:
            claim_units(tx, job, Stage.SURVEY, limit=1, worker="w", lease=60)

        assert waiting.result(timeout=20).json()["phase"] == "EXECUTING"


def test_aborting_twice_is_the_same_as_once(client: TestClient, job: UUID) -> None:
    answers = [client.post(f"/v1/calibrations/{job}/abort") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].json()["phase"] == "ABORTED"
    assert client.get("/v1/usage").json()["items"][0]["phase"] == "ABORTED"


def test_a_failed_calibration_says_why_and_cannot_be_aborted(
    client: TestClient, database: Database, job: UUID
) -> None:
    with database.transaction() as tx:
        (claim,) = claim_units(tx, job, Stage.SURVEY, limit=1, worker="w", lease=60)
        problem = {"code": "options-invalid", "detail": "No.", "errors": []}
        fail_unit(tx, claim, problem=problem, is_fatal=True, max_attempts=3)

    document = client.get(f"/v1/calibrations/{job}").json()
    aborted = client.post(f"/v1/calibrations/{job}/abort")

    assert document["phase"] == "ERROR"
    assert document["problem"]["code"] == "options-invalid"
    assert aborted.status_code == 409
    assert aborted.json()["code"] == "phase-conflict"


def test_a_deleted_calibration_leaves_only_its_record(client: TestClient, job: UUID) -> None:
    answer = client.delete(f"/v1/calibrations/{job}")

    assert answer.status_code == 204
    assert client.get(f"/v1/calibrations/{job}").status_code == 404
    assert client.get("/v1/calibrations").json()["items"] == []
    assert len(client.get("/v1/usage").json()["items"]) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("POST", "/abort"), ("GET", "/events"), ("GET", "/results")],
)
def test_another_accounts_calibration_does_not_exist(
    stranger: TestClient, job: UUID, method: str, path: str
) -> None:
    answer = stranger.request(method, f"/v1/calibrations/{job}{path}")

    assert answer.status_code == 404
    assert stranger.get("/v1/calibrations").json()["items"] == []


def test_events_tell_the_present_state_and_end_with_the_job(client: TestClient, job: UUID) -> None:
    client.post(f"/v1/calibrations/{job}/abort")

    lines = client.get(f"/v1/calibrations/{job}/events").text.splitlines()

    event = dict(line.split(": ", 1) for line in lines if line)
    assert event["event"] == "end"
    assert json.loads(event["data"])["phase"] == "ABORTED"


def test_a_client_that_saw_the_last_event_gets_no_other(client: TestClient, job: UUID) -> None:
    client.post(f"/v1/calibrations/{job}/abort")
    first = client.get(f"/v1/calibrations/{job}/events").text
    event_id = first.splitlines()[0].removeprefix("id: ")

    again = client.get(f"/v1/calibrations/{job}/events", headers={"Last-Event-ID": event_id})

    assert again.text == ""
