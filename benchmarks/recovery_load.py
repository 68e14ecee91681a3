"""The load under which recovery is measured: 18 uploads and 2 small calibrations, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import numpy as np
from sqlalchemy import select

from benchmarks.served_home import ServedHome, wait_until
from hbmlc.schemas import Stage
from hbmlc_store.schema import JobRow, UnitRow, UsageRow

__all__ = ["Outcome", "calibrate", "delete_all", "run_load", "survey_csv", "upload", "wait_for_end"]

N_UPLOADS = 18
N_CALIBRATIONS = 2
N_ROWS = 200_000
FAULT_AFTER = 6
"""Uploads that have been read when the fault comes; the others wait or are being read."""
END_SECONDS = 400.0
BANDS = "ugrizy"
# Enough to walk the whole way, too little to learn much.
SMALL = {"draws": 100, "tune": 100, "chains": 2, "train_steps": 60, "meta_steps": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the jobs of one run ended."""

    seconds: float
    """From the end of the fault, or of its outage, to the end of the last job [s]."""
    idle_ingest: float
    """Part of it in which uploads waited and nobody worked on one of them [s]."""
    idle_calibration: float
    """Part of it in which calibrations waited and nobody worked on one of them [s]."""
    n_right: int
    """Jobs that ended COMPLETED, metered exactly once where they are metered."""
    n_failures: int
    """Attempts that were counted as failed."""


def survey_csv(n_galaxies: int, *, seed: int) -> bytes:
    """Make a survey in two tiles, every third galaxy labelled, as CSV."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.1, 1.5, n_galaxies)
    slopes = np.array([2.5, 2.0, 1.4, 0.9, 0.6, 0.5])
    mag = 20.0 + rng.normal(0, 0.5, (n_galaxies, 1)) + slopes * z[:, None]
    mag += rng.normal(0, 0.03, mag.shape)
    lines = ["id,tile," + ",".join(f"mag_{band},mag_err_{band}" for band in BANDS) + ",z_spec"]
    for k in range(n_galaxies):
        magnitudes = ",".join(f"{m:.4f},0.03" for m in mag[k])
        label = f"{z[k]:.4f}" if k % 3 == 0 else ""
        lines.append(f"{1000 + k},tile-{k % 2},{magnitudes},{label}")
    return ("\n".join(lines) + "\n").encode()


def upload(service: ServedHome, content: bytes) -> str:
    """Upload a catalogue; gives its id."""
    answer = service.client.post("/v1/catalogs", files={"file": ("survey.csv", content)})
    answer.raise_for_status()
    return str(answer.json()["id"])


def calibrate(service: ServedHome, catalog: str, **options: int) -> str:
    """Request a small calibration; gives its id."""
    request = {"catalog_id": catalog, "options": {**SMALL, **options}, "seed": 3}
    answer = service.client.post("/v1/calibrations", json=request)
    answer.raise_for_status()
    return str(answer.json()["id"])


def wait_for_end(service: ServedHome, catalogs: Sequence[str], jobs: Sequence[str]) -> None:
    """Wait over HTTP until catalogues and calibrations have ended, whatever befalls the service."""

    def ended() -> bool:
        moving = {"INGESTING", "PENDING", "QUEUED", "EXECUTING"}
        states = _fields(service, "/v1/catalogs", "state")
        phases = _fields(service, "/v1/calibrations", "phase")
        found = [states.get(it) for it in catalogs] + [phases.get(it) for it in jobs]
        return None not in found and not moving.intersection(found)

    wait_until(_bearing(ended), seconds=END_SECONDS, what="the end of all jobs")


def run_load(
    service: ServedHome, content: bytes, survey: str, fault: Callable[[ServedHome], None] | None
) -> Outcome:
    """Put the load on, bring the fault in the middle, and wait until all jobs have ended."""
    jobs = [calibrate(service, survey) for _ in range(N_CALIBRATIONS)]
    with ThreadPoolExecutor(2) as pool:
        catalogs = list(pool.map(lambda _: upload(service, content), range(N_UPLOADS)))
    wait_until(
        lambda: _n_read(service, catalogs) >= FAULT_AFTER, seconds=END_SECONDS, what="the middle"
    )
    if fault is not None:
        fault(service)
    over = time.time()
    wait_for_end(service, catalogs, jobs)
    return _outcome(service, catalogs, jobs, over=over)


def delete_all(service: ServedHome) -> None:
    """Delete every calibration and every catalogue over HTTP."""
    for url in ("/v1/calibrations", "/v1/catalogs"):
        while found := service.client.get(url, params={"limit": 100}).json()["items"]:
            for item in found:
                service.client.delete(f"{url}/{item['id']}").raise_for_status()


def _outcome(
    service: ServedHome, catalogs: Sequence[str], calibrations: Sequence[str], *, over: float
) -> Outcome:
    is_ingest = (JobRow.kind == "ingest") & JobRow.catalog_id.in_([UUID(it) for it in catalogs])
    is_calibration = JobRow.id.in_([UUID(job) for job in calibrations])
    with service.database().transaction() as tx:
        jobs = tx.scalars(select(JobRow).where(is_ingest | is_calibration)).all()
        ids = [job.id for job in jobs]
        units = tx.scalars(select(UnitRow).where(UnitRow.job_id.in_(ids))).all()
        metered = tx.scalars(select(UsageRow.job_id).where(UsageRow.job_id.in_(ids))).all()
    right = [
        job
        for job in jobs
        if job.phase == "COMPLETED" and metered.count(job.id) == int(job.kind == "calibration")
    ]
    ends = [job.ended_at.timestamp() for job in jobs if job.ended_at is not None]
    return Outcome(
        seconds=max(ends) - over,
        idle_ingest=_idle([unit for unit in units if unit.stage == Stage.INGEST], since=over),
        idle_calibration=_idle([unit for unit in units if unit.stage != Stage.INGEST], since=over),
        n_right=len(right),
        n_failures=sum(unit.failures for unit in units),
    )


def _idle(units: Sequence[UnitRow], *, since: float) -> float:
    """Seconds until the last unit's end in which no attempt was under way that came to its end.

    How fast a loaded machine computes does not matter here, nor that a killed attempt is repeated.
    """
    spans = [
        (unit.started_at.timestamp(), unit.ended_at.timestamp())
        for unit in units
        if unit.started_at is not None and unit.ended_at is not None
    ]
    idle, seen = 0.0, since
    for start, end in sorted(spans):
        idle += max(start - seen, 0.0)
        seen = max(seen, end)
    return idle


def _n_read(service: ServedHome, catalogs: Sequence[str]) -> int:
    states = _fields(service, "/v1/catalogs", "state")
    return sum(states.get(it) == "READY" for it in catalogs)


def _fields(service: ServedHome, url: str, field: str) -> dict[str, Any]:
    answer = service.client.get(url, params={"limit": 100}, timeout=5)
    answer.raise_for_status()
    return {item["id"]: item[field] for item in answer.json()["items"]}


def _bearing(condition: Callable[[], bool]) -> Callable[[], bool]:
    """Hold a condition for not yet true while the service does not answer."""

    def bear() -> bool:
        try:
            return condition()
        except httpx.HTTPError:
            return False

    return bear
