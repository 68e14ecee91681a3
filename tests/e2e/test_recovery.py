"""A broker that forgets and a worker that is replaced cost nobody a job."""

from __future__ import annotations

import re
import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psutil
import pytest
import redis
from sqlalchemy import select
from waiting import wait_until

from hbmlc_store.database import Database
from hbmlc_store.embedded.secrets import load_secrets
from hbmlc_store.schema import UnitRow

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

RECOVERY_SECONDS = 15.0
RESTART_SECONDS = 60.0


def broker_of(service: Any) -> redis.Redis:
    configuration = (service.home / "broker" / "valkey.conf").read_text()
    port = re.findall(r"^port (\d+)$", configuration, re.MULTILINE)[0]
    return redis.Redis(port=int(port), password=load_secrets(service.home).broker_password)


def unit_at_work(service: Any, job: str) -> UnitRow | None:
    """The unit of a job that is being computed now."""
    port = (service.home / "postgres" / "postmaster.pid").read_text().splitlines()[3]
    password = load_secrets(service.home).database_password
    url = f"postgresql+psycopg://hbmlc:{password}@127.0.0.1:{port}/hbmlc"
    database = Database(url, keeps_none=True)
    with database.transaction() as tx:
        return tx.scalar(
            select(UnitRow).where(UnitRow.job_id == UUID(job), UnitRow.state == "RUNNING").limit(1)
        )


@contextmanager
def frozen(worker: psutil.Process) -> Generator[None]:
    family = [worker, *worker.children(recursive=True)]
    for process in family:
        process.send_signal(signal.SIGSTOP)
    yield
    for process in family:
        process.send_signal(signal.SIGCONT)


def test_uploads_whose_messages_the_broker_forgot_are_read_within_seconds(
    shared_service: Any, survey: bytes
) -> None:
    def states() -> set[str]:
        found = shared_service.client.get("/v1/catalogs", params={"limit": 100}).json()["items"]
        return {item["state"] for item in found if item["id"] in uploaded}

    with broker_of(shared_service) as broker, frozen(shared_service.worker("ingest")):
        answers = [
            shared_service.client.post("/v1/catalogs", files={"file": ("survey.csv", survey)})
            for _ in range(5)
        ]
        uploaded = {answer.json()["id"] for answer in answers}
        wait_until(lambda: broker.llen("ingest") >= 3, seconds=10, what="the announcement")
        broker.flushall()

    wait_until(lambda: states() == {"READY"}, seconds=RECOVERY_SECONDS + 5, what="the last ingest")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_a_worker_that_is_replaced_at_work_costs_its_job_no_attempt(
    shared_service: Any, survey: bytes, number: signal.Signals
) -> None:
    job = shared_service.calibrate(shared_service.upload(survey)["id"], draws=20_000)
    first = wait_until(
        lambda: unit_at_work(shared_service, job), seconds=RESTART_SECONDS, what="the work"
    )

    shared_service.worker("cpu").send_signal(number)

    def again() -> UnitRow | None:
        unit = unit_at_work(shared_service, job)
        return unit if unit is not None and unit.attempt > first.attempt else None

    second = wait_until(again, seconds=RESTART_SECONDS, what="another attempt")
    document = shared_service.client.post(f"/v1/calibrations/{job}/abort").json()
    assert (second.unit, second.stage, second.failures) == (first.unit, first.stage, 0)
    assert second.worker != first.worker
    assert document["problem"] is None
