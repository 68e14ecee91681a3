"""What a worker does with a stage that works, fails, is aborted or comes too late."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from uuid import UUID

import pytest

from hbmlc.schemas import Phase, Stage
from hbmlc_models.formats.errors import DuplicateIdsError
from hbmlc_store.database import Database
from hbmlc_store.jobs.calibrations import abort_calibration
from hbmlc_store.jobs.units import claim_units, complete_unit
from hbmlc_store.schema import JobRow, UnitRow
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.runner import run_message
from hbmlc_worker.work import Done, StageFunction, Work

PATIENCE = 20.0


def plan(work: Work, n_units: int = 3) -> Iterator[Done]:
    (claim,) = work.claims
    payloads = [{"tiles": [k]} for k in range(n_units)]
    yield Done(claim=claim, commit=partial(complete_unit, claim=claim, plan=payloads))


def complete_all(work: Work) -> Iterator[Done]:
    for claim in work.claims:
        yield Done(claim=claim, commit=partial(complete_unit, claim=claim))


def run(context: WorkerContext, job: UUID, stage: Stage, function: StageFunction) -> int:
    stages: Mapping[Stage, StageFunction] = {stage: function}
    return run_message(context, job_id=job, stage=stage, stages=stages)


def read(database: Database, job: UUID) -> JobRow:
    with database.transaction() as tx:
        return tx.get_one(JobRow, job)


def test_a_batch_of_units_is_worked_on_in_one_message(context: WorkerContext, job: UUID) -> None:
    run(context, job, Stage.SURVEY, plan)
    for _ in range(3):
        run(context, job, Stage.SELECTION, complete_all)

    assert run(context, job, Stage.ADAPTATION, complete_all) == 3


def test_a_message_that_comes_twice_does_nothing(context: WorkerContext, job: UUID) -> None:
    first = run(context, job, Stage.SURVEY, plan)
    second = run(context, job, Stage.SURVEY, plan)

    assert (first, second) == (1, 0)


def test_a_message_of_an_unknown_job_does_nothing(context: WorkerContext) -> None:
    unknown = UUID("01890000-0000-7000-8000-000000000000")

    assert run(context, unknown, Stage.SURVEY, plan) == 0


def test_an_unexpected_error_is_tried_again_then_told_without_a_traceback(
    context: WorkerContext, database: Database, job: UUID
) -> None:
    def fail(work: Work) -> Iterator[Done]:
        raise ZeroDivisionError("secret path /home/x")
        yield

    phases = []
    for _ in range(context.settings.max_attempts):
        run(context, job, Stage.SURVEY, fail)
        phases.append(read(database, job).phase)

    problem = read(database, job).problem
    assert phases == [Phase.EXECUTING, Phase.EXECUTING, Phase.ERROR]
    assert problem is not None
    assert problem["code"] == "internal-error"
    assert "secret" not in problem["detail"]


def test_a_full_disk_is_told_as_such(context: WorkerContext, database: Database, job: UUID) -> None:
    def fail(work: Work) -> Iterator[Done]:
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/scratch")
        yield

    for _ in range(context.settings.max_attempts):
        run(context, job, Stage.SURVEY, fail)

    problem = read(database, job).problem
    assert problem is not None
    assert problem["code"] == "out-of-disk"
    assert "secret" not in problem["detail"]


def test_a_fault_of_the_input_is_not_tried_again(
    context: WorkerContext, database: Database, job: UUID
) -> None:
    def fail(work: Work) -> Iterator[Done]:
        raise DuplicateIdsError("Two rows share the id 7.", where="id")
        yield

    run(context, job, Stage.SURVEY, fail)

    ended = read(database, job)
    assert ended.phase == Phase.ERROR
    assert ended.problem is not None
    assert ended.problem["code"] == "duplicate-ids"


def test_units_done_before_a_failure_stay_done(
    context: WorkerContext, database: Database, job: UUID
) -> None:
    def complete_first_then_fail(work: Work) -> Iterator[Done]:
        yield next(complete_all(work))
        raise ConnectionError

    run(context, job, Stage.SURVEY, plan)
    for _ in range(3):
        run(context, job, Stage.SELECTION, complete_all)
    run(context, job, Stage.ADAPTATION, complete_first_then_fail)

    with database.transaction() as tx:
        states = [tx.get_one(UnitRow, (job, "ADAPTATION", unit)).state for unit in range(3)]
    assert states == ["DONE", "READY", "READY"]


def test_an_abort_ends_a_computation_that_never_looks_up(
    context: WorkerContext, database: Database, account: UUID, job: UUID
) -> None:
    def compute_forever(work: Work) -> Iterator[Done]:
        with database.transaction() as tx:
            abort_calibration(tx, account, job)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            pass
        yield from complete_all(work)

    started = time.monotonic()
    completed = run(context, job, Stage.SURVEY, compute_forever)

    assert completed == 0
    assert time.monotonic() - started < PATIENCE / 2
    assert read(database, job).phase == Phase.ABORTED


def test_an_abort_lets_an_import_finish(
    context: WorkerContext,
    database: Database,
    account: UUID,
    job: UUID,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The abort comes while the module is being imported, and the import takes seconds.
    (tmp_path / "slow_module.py").write_text(
        "import threading\n"
        "stop = threading.Event()\n"
        "for _ in range(20):\n"
        "    stop.wait(0.1)\n"
        "is_whole = True\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    def import_slowly(work: Work) -> Iterator[Done]:
        with database.transaction() as tx:
            abort_calibration(tx, account, job)
        import_module("slow_module")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            pass
        yield from complete_all(work)

    started = time.monotonic()
    completed = run(context, job, Stage.SURVEY, import_slowly)

    assert completed == 0
    assert time.monotonic() - started < PATIENCE / 2
    assert import_module("slow_module").is_whole


def test_a_long_computation_keeps_its_lease(
    context: WorkerContext, database: Database, job: UUID
) -> None:
    def outlast_the_lease(work: Work) -> Iterator[Done]:
        # Three leases long; a deadline on an event that never comes is no busy loop.
        threading.Event().wait(3 * context.settings.lease_seconds)
        with database.transaction() as tx:
            row = tx.get_one(UnitRow, (job, "SURVEY", 0))
            assert row.lease_until is not None
            leases.append(row.lease_until)
        yield from plan(work)

    leases: list[object] = []
    completed = run(context, job, Stage.SURVEY, outlast_the_lease)

    assert completed == 1
    assert len(leases) == 1


def test_progress_is_written_while_the_stage_runs(
    context: WorkerContext, database: Database, job: UUID
) -> None:
    def report(work: Work) -> Iterator[Done]:
        (claim,) = work.claims
        work.pulse.report(claim, 0.5)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not seen:
            with database.transaction() as tx:
                fraction = tx.get_one(UnitRow, (job, "SURVEY", 0)).fraction
            if fraction == 0.5:
                seen.append(fraction)
        yield from plan(work)

    seen: list[float] = []
    run(context, job, Stage.SURVEY, report)

    assert seen == [0.5]


def test_a_worker_that_was_given_up_commits_nothing(
    context: WorkerContext, database: Database, job: UUID
) -> None:
    from hbmlc_store.jobs.reaper import expire_leases_of, reap

    def come_too_late(work: Work) -> Iterator[Done]:
        (claim,) = work.claims
        work.pulse.release(claim)
        with database.transaction() as tx:
            expire_leases_of(tx, context.name)
        reap(database, max_attempts=3, stale_after=900)
        with database.transaction() as tx:
            other = claim_units(tx, job, Stage.SURVEY, limit=1, worker="other", lease=60)
        assert other[0].attempt == 2
        yield from plan(work)

    assert run(context, job, Stage.SURVEY, come_too_late) == 0
