"""Seconds until every job has ended right after a fault, and what is left behind.

Usage: python -m benchmarks.recovery FOLDER [--only NAME ...] [--output results]

A home is served from a folder. Eighteen catalogues are uploaded and two small calibrations
requested; in the middle a fault comes. What it costs is the time after it in which work waited and
no worker was at it; the time until the last job's end depends on who else uses the machine, too. At
the end a cpu worker is stopped three times in a row at work, everything is deleted over HTTP, and
what is left is counted.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import psutil
from sqlalchemy import func, select

from benchmarks.recovery_faults import FAULTS
from benchmarks.recovery_load import (
    N_ROWS,
    Outcome,
    calibrate,
    delete_all,
    run_load,
    survey_csv,
    upload,
    wait_for_end,
)
from benchmarks.served_home import ServedHome, serve_home, wait_until
from hbmlc_store.schema import OutboxRow, PurgeRow, UnitRow

N_GALAXIES = 240
N_STOPS = 3
ORPHAN_SECONDS = 60.0
"""Age from which the sweeper takes an orphan here; a day by default."""
CLEAR_SECONDS = 180.0
UNDISTURBED = "undisturbed"


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(
        description="Seconds until every job has ended right after a fault."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", help="names, or parts of names, of faults")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    scratch = arguments.folder / "scratch"
    environment = {
        "HBMLC_SCRATCH": str(scratch),
        "HBMLC_ORPHAN_SECONDS": str(ORPHAN_SECONDS),
        "HBMLC_SWEEP_SECONDS": "10",
    }
    with serve_home(arguments.folder / "home", **environment) as service:
        outcomes = measure(service, only=arguments.only)
        stops = stop_thrice(service)
        left = clear(service, scratch)
    write(outcomes, stops, left, arguments.output)


def measure(service: ServedHome, *, only: Sequence[str] | None) -> list[tuple[str, Outcome]]:
    """Run the load undisturbed before and after the faults, and with each of them."""
    content = survey_csv(N_ROWS, seed=1)
    survey = upload(service, survey_csv(N_GALAXIES, seed=5))
    wait_for_end(service, [survey], [])
    wait_for_end(service, [], [calibrate(service, survey)])
    faults = [
        (fault.name, fault.bring)
        for fault in FAULTS
        if not only or any(part in fault.name for part in only)
    ]
    outcomes: list[tuple[str, Outcome]] = []
    for name, bring in [(UNDISTURBED, None), *faults, (UNDISTURBED, None)]:
        outcomes.append((name, run_load(service, content, survey, bring)))
        print(name, outcomes[-1][1], flush=True)
    return outcomes


def stop_thrice(service: ServedHome) -> dict[str, object]:
    """Stop the cpu worker three times while it calibrates, as three deployments in a row do."""
    survey = upload(service, survey_csv(N_GALAXIES, seed=5))
    wait_for_end(service, [survey], [])
    job = calibrate(service, survey)
    seconds: list[float] = []
    for _ in range(N_STOPS):
        attempt = wait_until(lambda: _attempt(service, job), seconds=120, what="the work")
        began = time.monotonic()
        service.part("cpu").terminate()
        wait_until(
            lambda attempt=attempt: _attempt(service, job) not in {None, attempt},
            seconds=120,
            what="another attempt",
        )
        seconds.append(time.monotonic() - began)
    wait_for_end(service, [], [job])
    with service.database().transaction() as tx:
        of_job = UnitRow.job_id == UUID(job)
        failures = tx.scalar(select(func.sum(UnitRow.failures)).where(of_job))
    phase = service.client.get(f"/v1/calibrations/{job}").json()["phase"]
    return {"phase": phase, "failures": failures, "seconds": seconds}


def _attempt(service: ServedHome, job: str) -> tuple[str, int, int] | None:
    """Which unit of a job is being worked on, and for the how-manieth time."""
    running = select(UnitRow.stage, UnitRow.unit, UnitRow.attempt).where(
        UnitRow.job_id == UUID(job), UnitRow.state == "RUNNING"
    )
    with service.database().transaction() as tx:
        found = tx.execute(running).first()
    return None if found is None else (found[0], found[1], found[2])


def clear(service: ServedHome, scratch: Path) -> dict[str, float]:
    """Delete everything over HTTP; counts what is left once time enough has passed."""
    began = time.monotonic()
    delete_all(service)

    def is_purged() -> bool:
        with service.database().transaction() as tx:
            return not any(
                tx.scalar(select(func.count()).select_from(row)) for row in (PurgeRow, OutboxRow)
            )

    wait_until(is_purged, seconds=CLEAR_SECONDS, what="the purges")
    purged = time.monotonic() - began
    orphans = len(_objects(service))
    deadline = time.monotonic() + CLEAR_SECONDS
    while (_objects(service) or _files(scratch)) and time.monotonic() < deadline:
        time.sleep(1)
    return {
        "seconds until purged": purged,
        "orphans after the purges": orphans,
        "objects left": len(_objects(service)),
        "scratch left": len(_files(scratch)),
        "seconds until clear": time.monotonic() - began,
    }


def _objects(service: ServedHome) -> list[Path]:
    """Objects that are not the shipped models'."""
    root = service.home / "objects"
    files = [found for found in root.rglob("*") if found.is_file()]
    return [found for found in files if found.relative_to(root).parts[0] != "models"]


def _files(scratch: Path) -> list[Path]:
    """Scratch folders of tasks, and copies of catalogues."""
    return [*scratch.glob("hbmlc-scratch-*"), *scratch.rglob("*.parquet")]


def write(
    outcomes: Sequence[tuple[str, Outcome]],
    stops: dict[str, object],
    left: dict[str, float],
    output: Path,
) -> None:
    """Table and document."""
    machine = {"cpus": os.cpu_count(), "load": psutil.getloadavg()[0]}
    what = (
        f"One run on {machine['cpus']} cores that other programs shared; load average at its end "
        f"{machine['load']:.1f}. From the fault, or the end of its outage, on:"
    )
    lines = [
        what,
        "",
        "| fault | uploads wait [s] | calibrations wait [s] | last end [s] | right | failed |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {run.idle_ingest:.1f} | {run.idle_calibration:.1f} | {run.seconds:.0f} "
        f"| {run.n_right} of 20 | {run.n_failures} |"
        for name, run in outcomes
    ]
    lines += ["", f"Three stops of the cpu worker: {_said(stops)}.", "", f"Left: {_said(left)}."]
    document = {
        "machine": machine,
        "runs": [{"fault": name, **asdict(outcome)} for name, outcome in outcomes],
        "stops": stops,
        "left": left,
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / "recovery.json").write_text(json.dumps(document, indent=1) + "\n")
    (output / "recovery.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def _said(values: dict[str, object] | dict[str, float]) -> str:
    def text(value: object) -> str:
        if isinstance(value, list):
            return ", ".join(text(each) for each in value)
        return f"{value:.1f}" if isinstance(value, float) else str(value)

    return "; ".join(f"{name} {text(value)}" for name, value in values.items())


if __name__ == "__main__":
    main()
