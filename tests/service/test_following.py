"""Long polls and streams hear of changes, are bounded, and end when the service stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from waiting import wait_until

from hbmlc.schemas import Stage
from hbmlc_service.app import create_app
from hbmlc_store.accounts import revoke_api_key
from hbmlc_store.database import Database
from hbmlc_store.jobs.calibrations import abort_calibration
from hbmlc_store.jobs.units import claim_units, renew_lease
from hbmlc_store.settings import Settings

PATIENCE = 20.0


def in_background(action: Callable[[], Any]) -> Callable[[], Any]:
    """Start something; the result waits for its end."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(action()))
    thread.start()

    def result() -> Any:
        thread.join(PATIENCE)
        assert not thread.is_alive()
        return found[0]

    return result


def followers(client: TestClient) -> int:
    return sum(len(found) for found in client.app.state.context.changes._subscriptions.values())


def test_a_long_poll_answers_at_the_change(
    client: TestClient, database: Database, account: UUID, job: UUID
) -> None:
    wait_until(lambda: client.app.state.context.changes.is_live)
    started = time.monotonic()
    answer = in_background(lambda: client.get(f"/v1/calibrations/{job}?wait=15"))
    wait_until(lambda: followers(client) == 1)

    with database.transaction() as tx:
        abort_calibration(tx, account, job)

    assert answer().json()["phase"] == "ABORTED"
    assert time.monotonic() - started < PATIENCE / 4
    assert followers(client) == 0


def test_waiting_asks_the_database_only_when_something_changed(
    client: TestClient, job: UUID
) -> None:
    wait_until(lambda: client.app.state.context.changes.is_live)
    context = client.app.state.context
    looks: list[object] = []
    original = type(context).run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(context), "run", lambda self, use: looks.append(use) or original(self, use)
        )
        client.get(f"/v1/calibrations/{job}?wait=2")

    # The key, the phase that is watched, and a look before and after the wait.
    assert len(looks) <= 5


def test_progress_of_a_unit_is_announced(client: TestClient, database: Database, job: UUID) -> None:
    with database.transaction() as tx:
        (claim,) = claim_units(tx, job, Stage.SURVEY, limit=1, worker="w", lease=60)
    events: list[str] = []

    def follow() -> None:
        with client.stream("GET", f"/v1/calibrations/{job}/events") as stream:
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    events.append(line)
                    if len(events) == 2:
                        return

    done = in_background(follow)
    wait_until(lambda: len(events) >= 1)
    with database.transaction() as tx:
        renew_lease(tx, claim, lease=60, fraction=0.5)
        abort_calibration(tx, tx.info.get("account") or _account_of(tx, job), job)

    done()
    assert '"ABORTED"' in events[-1]


def _account_of(tx: Any, job: UUID) -> UUID:
    from hbmlc_store.schema import JobRow

    return tx.get_one(JobRow, job).account_id


def test_a_key_has_a_bounded_number_of_streams(
    settings: Settings, account: UUID, key_of: Callable[..., str], job: UUID
) -> None:
    app = create_app(settings.model_copy(update={"max_streams": 2}))
    ours, others = (f"Bearer {key_of(account)}" for _ in range(2))
    slots = app.state.context.streams
    with TestClient(app) as client:
        ids = [_key_id(client, key) for key in (ours, others)]
        with slots.taken(ids[0]), slots.taken(ids[0]):
            refused = client.get(f"/v1/calibrations/{job}/events", headers={"Authorization": ours})

    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-streams")
    assert refused.headers["Retry-After"] == "5"
    slots.check(ids[0])
    slots.check(ids[1])


def _key_id(client: TestClient, key: str) -> Any:
    return client.app.state.context.recognise(key.removeprefix("Bearer ")).key_id


def test_a_service_that_stops_answers_whoever_waits(
    settings: Settings, account: UUID, key_of: Callable[..., str], job: UUID
) -> None:
    headers = {"Authorization": f"Bearer {key_of(account)}"}
    with TestClient(create_app(settings), headers=headers) as client:
        answer = in_background(lambda: client.get(f"/v1/calibrations/{job}?wait=15"))
        stream = in_background(lambda: client.get(f"/v1/calibrations/{job}/events").status_code)
        wait_until(lambda: followers(client) == 2)
        started = time.monotonic()

        client.app.state.context.changes.close()

        assert answer().json()["phase"] == "QUEUED"
        assert stream() == 200
        assert time.monotonic() - started < PATIENCE / 4


def test_the_stream_of_a_revoked_key_ends(
    client: TestClient, database: Database, account: UUID, key_of: Callable[..., str], job: UUID
) -> None:
    key = key_of(account)
    lines: list[str] = []

    def follow() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        with client.stream("GET", f"/v1/calibrations/{job}/events", headers=headers) as stream:
            lines.extend(stream.iter_lines())

    done = in_background(follow)
    wait_until(lambda: followers(client) == 1)
    with database.transaction() as tx:
        revoke_api_key(tx, account, _key_id(client, key))
        claim_units(tx, job, Stage.SURVEY, limit=1, worker="w", lease=60)

    done()
    assert not any("EXECUTING" in line for line in lines)
