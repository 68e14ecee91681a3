"""What is killed comes back, what is stopped is gone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

STOP_SECONDS = 30.0


def executing(service: Any, job: str) -> None:
    document = service.client.get(
        f"/v1/calibrations/{job}", params={"wait": 60, "phase": "QUEUED"}
    ).json()
    assert document["phase"] == "EXECUTING", document


def usage_of(service: Any, job: str) -> list[dict[str, Any]]:
    records = service.client.get("/v1/usage").json()["items"]
    return [found for found in records if found["calibration_id"] == job]


def assert_all_end(members: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(members, timeout=STOP_SECONDS)
    assert alive == []


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_service_leaves_no_process(
    serve: Callable[[], Any], signal_number: signal.Signals
) -> None:
    service = serve()
    members = service.members()

    service.process.send_signal(signal_number)

    assert service.process.wait(STOP_SECONDS) == 0
    assert_all_end(members)
    assert not (service.home / "run" / "service.json").exists()


def test_a_job_survives_the_death_of_its_worker(serve: Callable[[], Any], survey: bytes) -> None:
    service = serve()
    job = service.calibrate(service.upload(survey)["id"])
    executing(service, job)

    service.worker("cpu").kill()

    assert service.finish(job)["phase"] == "COMPLETED"
    assert len(usage_of(service, job)) == 1


def test_a_killed_service_takes_its_processes_along_and_its_job_goes_on_after_a_restart(
    serve: Callable[[], Any], survey: bytes
) -> None:
    first = serve()
    job = first.calibrate(first.upload(survey)["id"])
    executing(first, job)
    members = first.members()

    first.process.kill()
    first.process.wait(STOP_SECONDS)
    assert_all_end(members)
    second = serve()

    assert second.finish(job)["phase"] == "COMPLETED"
    assert len(usage_of(second, job)) == 1


@pytest.mark.parametrize("program", ["postgres", "valkey"])
def test_the_service_outlives_a_killed_server(
    serve: Callable[[], Any], survey: bytes, program: str
) -> None:
    service = serve()
    killed = service.server(program)

    killed.kill()

    service.wait_for_return(program, killed)
    assert service.upload(survey)["state"] == "READY"


def test_an_aborted_job_stops_computing_within_seconds(
    serve: Callable[[], Any], survey: bytes
) -> None:
    service = serve()
    catalog = service.upload(survey)["id"]
    long_job = service.calibrate(catalog, draws=20_000, tune=20_000)
    executing(service, long_job)

    started = time.monotonic()
    service.client.post(f"/v1/calibrations/{long_job}/abort")
    next_job = service.calibrate(catalog)
    executing(service, next_job)

    # The one cpu worker took up the next job, so it has let go of the aborted one.
    assert time.monotonic() - started < 15
    assert service.client.get(f"/v1/calibrations/{long_job}").json()["phase"] == "ABORTED"


def test_a_second_service_on_the_same_home_is_refused(shared_service: Any) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "hbmlc_store.embedded", "--home", str(shared_service.home)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert second.returncode == 1
    assert "serves" in second.stderr
    assert shared_service.client.get("/healthz").status_code == 200


def test_secrets_are_readable_by_their_owner_only(shared_service: Any) -> None:
    for name in ("secrets.json", "run/service.json"):
        assert (shared_service.home / name).stat().st_mode & 0o077 == 0
    assert shared_service.home.stat().st_mode & 0o077 == 0

    logs = [file.read_text(errors="replace") for file in (shared_service.home / "logs").iterdir()]
    key = json.loads((shared_service.home / "run" / "service.json").read_text())["api_key"]
    assert not any(key in log for log in logs)
