"""The whole service as its users start it: `hbmlc serve` in a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from waiting import wait_until

START_SECONDS = 90.0
STOP_SECONDS = 30.0
# Enough to walk the whole way, too little to learn much.
SMALL = {"draws": 100, "tune": 100, "chains": 2, "train_steps": 60, "meta_steps": 4}


def runs(process: psutil.Process, program: str) -> bool:
    """Whether a process, which may end at any moment, runs a program."""
    try:
        return process.name().startswith(program) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass
class Service:
    """A served home."""

    home: Path
    process: subprocess.Popen[bytes]
    client: httpx.Client

    def members(self) -> list[psutil.Process]:
        """All processes below the supervisor."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def worker(self, queue: str) -> psutil.Process:
        """The main process of a queue's worker."""
        wanted = ["worker", "--queue", queue]
        return next(found for found in self.members() if found.cmdline()[-3:] == wanted)

    def server(self, program: str) -> psutil.Process | None:
        """The main process of PostgreSQL or the broker, by the name of its program."""
        children = psutil.Process(self.process.pid).children()
        return next((child for child in children if runs(child, program)), None)

    def wait_for_return(self, program: str, killed: psutil.Process) -> None:
        """Wait until a killed server runs again and the service can take work."""
        wait_until(
            lambda: self.server(program) not in {None, killed} and self.is_ready(),
            seconds=30,
            what=f"the return of {program}",
        )

    def is_ready(self) -> bool:
        """Whether the service says that it can take work."""
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def upload(self, content: bytes, **data: str) -> dict[str, Any]:
        """Upload a catalogue and wait until it is read."""
        answer = self.client.post(
            "/v1/catalogs", files={"file": ("survey.csv", content)}, data=data
        )
        assert answer.status_code == 201, answer.text
        return wait_until(
            lambda: self.settled(f"/v1/catalogs/{answer.json()['id']}", "state", {"INGESTING"}),
            seconds=60,
            what="the end of the ingest",
        )

    def calibrate(self, catalog: str, **options: Any) -> str:
        """Request a small calibration; gives its id."""
        request = {
            "catalog_id": catalog,
            "options": {**SMALL, **options},
            "seed": 3,
        }
        answer = self.client.post("/v1/calibrations", json=request)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def finish(
        self, job: str, *, kind: str = "calibrations", seconds: float = 240
    ) -> dict[str, Any]:
        """Wait for the end of a calibration, or of a job of another kind."""
        return wait_until(
            lambda: self.settled(f"/v1/{kind}/{job}", "phase", {"PENDING", "QUEUED", "EXECUTING"}),
            seconds=seconds,
            what=f"the end of the job among the {kind}",
        )

    def settled(self, url: str, field: str, moving: set[str]) -> dict[str, Any] | None:
        """The document, once its field left the values in which it moves on."""
        document = self.client.get(url, params={"wait": 20}).json()
        return None if document[field] in moving else document


def start(home: Path, **environment: str) -> Service:
    """Serve a home and wait until it is announced."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hbmlc_store.embedded", "--home", str(home)],
        env={**os.environ, "HBMLC_LEASE_SECONDS": "5", "HBMLC_REAP_SECONDS": "1", **environment},
    )
    announcement = home / "run" / "service.json"

    def announced() -> dict[str, Any] | None:
        assert process.poll() is None, "hbmlc serve ended while it should start"
        if not announcement.exists():
            return None
        found = json.loads(announcement.read_text())
        return found if found["pid"] == process.pid else None

    found = wait_until(announced, seconds=START_SECONDS, what="the start of the service")
    client = httpx.Client(
        base_url=found["url"], headers={"Authorization": f"Bearer {found['api_key']}"}, timeout=60
    )
    return Service(home=home, process=process, client=client)


def stop(service: Service) -> None:
    """Stop a service, if it still runs, and whatever it left."""
    service.client.close()
    if service.process.poll() is None:
        members = service.members()
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(STOP_SECONDS)
        for member in members:
            if member.is_running():
                member.kill()


@pytest.fixture(scope="session")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests that leave it running."""
    home = tmp_path_factory.mktemp("home")
    # As a volume may be that was made for us.
    home.chmod(0o755)
    service = start(home)
    yield service
    stop(service)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Starts services on one home, one after the other; for tests that break them."""
    started: list[Service] = []

    def make(**environment: str) -> Service:
        started.append(start(tmp_path / "home", **environment))
        return started[-1]

    yield make
    for service in started:
        stop(service)


@pytest.fixture(scope="session")
def survey() -> bytes:
    """A small survey in two tiles, every third galaxy labelled, as CSV."""
    rng = np.random.default_rng(5)
    n_galaxies = 240
    bands = "ugrizy"
    z = rng.uniform(0.1, 1.5, n_galaxies)
    slopes = np.array([2.5, 2.0, 1.4, 0.9, 0.6, 0.5])
    mag = 20.0 + rng.normal(0, 0.5, (n_galaxies, 1)) + slopes * z[:, None]
    mag += rng.normal(0, 0.03, mag.shape)
    columns = [f"mag_{band},mag_err_{band}" for band in bands]
    lines = [",".join(["id", "tile", *columns, "z_spec"])]
    for k in range(n_galaxies):
        values = [f"{m:.4f},0.03" for m in mag[k]]
        label = f"{z[k]:.4f}" if k % 3 == 0 else ""
        lines.append(",".join([str(1000 + k), f"tile-{k % 2}", *values, label]))
    return ("\n".join(lines) + "\n").encode()
