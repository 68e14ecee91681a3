"""Claim, lease and fence of work units."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from hbmlc.schemas import CatalogState, Phase, Stage
from hbmlc_store.database import Database
from hbmlc_store.errors import LostClaimError, StaleTransitionError
from hbmlc_store.jobs.calibrations import abort_calibration, complete_calibration
from hbmlc_store.jobs.phases import transition
from hbmlc_store.jobs.progress import progress_of
from hbmlc_store.jobs.reaper import expire_leases_of, reap, recover
from hbmlc_store.jobs.units import Claim, claim_units, complete_unit, fail_unit, renew_lease
from hbmlc_store.schema import CatalogRow, JobRow, OutboxRow, UsageRow

PROBLEM = {"code": "broken", "detail": "It broke."}


def claim(database: Database, job: UUID, stage: Stage, *, limit: int = 1) -> list[Claim]:
    with database.transaction() as tx:
        return claim_units(tx, job, stage, limit=limit, worker="host-cpu/1", lease=60)


def complete(database: Database, claim: Claim, n_next: int = 1) -> None:
    with database.transaction() as tx:
        complete_unit(tx, claim, plan=[{"tiles": [k]} for k in range(n_next)])


def fail(database: Database, claim: Claim, *, is_fatal: bool = False) -> None:
    with database.transaction() as tx:
        fail_unit(tx, claim, problem=PROBLEM, is_fatal=is_fatal, max_attempts=2)


def read_job(database: Database, job: UUID) -> JobRow:
    with database.transaction() as tx:
        return tx.get_one(JobRow, job)


def messages(database: Database) -> list[tuple[str, str]]:
    with database.transaction() as tx:
        rows = tx.scalars(select(OutboxRow).order_by(OutboxRow.id)).all()
    return [(row.queue, row.payload["stage"]) for row in rows]


def test_a_job_walks_from_queued_to_completed_and_is_metered_once(
    database: Database, job: UUID
) -> None:
    (survey,) = claim(database, job, Stage.SURVEY)
    complete(database, survey, n_next=3)
    for selection in claim(database, job, Stage.SELECTION, limit=3):
        complete(database, selection)
    for adaptation in claim(database, job, Stage.ADAPTATION, limit=8):
        assert adaptation.payload == {"tiles": [adaptation.unit]}
        complete(database, adaptation)
    (assembly,) = claim(database, job, Stage.ASSEMBLY)
    with database.transaction() as tx:
        complete_calibration(tx, assembly, results=[], diagnostics={"n_tiles": 3})

    ended = read_job(database, job)
    with database.transaction() as tx:
        usage = tx.scalars(select(UsageRow)).one()
        progress = progress_of(tx, [job])[job]
    assert ended.phase == Phase.COMPLETED
    assert ended.diagnostics == {"n_tiles": 3}
    assert (usage.job_id, usage.n_galaxies, usage.n_tiles) == (job, 1000, 3)
    assert progress.fraction == 1.0


def test_the_last_unit_of_a_stage_announces_the_next_in_batches(
    database: Database, job: UUID
) -> None:
    (survey,) = claim(database, job, Stage.SURVEY)
    complete(database, survey, n_next=10)
    before = len(messages(database))

    for selection in claim(database, job, Stage.SELECTION, limit=10):
        complete(database, selection)

    # Ten units in batches of eight.
    assert messages(database)[before:] == [("gpu", "ADAPTATION")] * 2


def test_a_unit_is_claimed_by_one_worker_only(database: Database, job: UUID) -> None:
    first = claim(database, job, Stage.SURVEY)
    second = claim(database, job, Stage.SURVEY)

    assert len(first) == 1
    assert second == []


def test_a_late_completion_does_not_overwrite_abort(
    database: Database, account: UUID, job: UUID
) -> None:
    (survey,) = claim(database, job, Stage.SURVEY)
    with database.transaction() as tx:
        abort_calibration(tx, account, job)

    with pytest.raises(LostClaimError):
        complete(database, survey)

    assert read_job(database, job).phase == Phase.ABORTED


def test_a_late_failure_does_not_overwrite_abort(
    database: Database, account: UUID, job: UUID
) -> None:
    (survey,) = claim(database, job, Stage.SURVEY)
    with database.transaction() as tx:
        abort_calibration(tx, account, job)

    with pytest.raises(LostClaimError):
        fail(database, survey, is_fatal=True)

    assert read_job(database, job).phase == Phase.ABORTED


def test_an_aborted_job_gives_no_claims(database: Database, account: UUID, job: UUID) -> None:
    with database.transaction() as tx:
        abort_calibration(tx, account, job)

    assert claim(database, job, Stage.SURVEY) == []


def test_heartbeats_notice_that_the_job_was_aborted(
    database: Database, account: UUID, job: UUID
) -> None:
    (survey,) = claim(database, job, Stage.SURVEY)
    with database.transaction() as tx:
        is_held_before = renew_lease(tx, survey, lease=60, fraction=0.5)
        abort_calibration(tx, account, job)
        is_held_after = renew_lease(tx, survey, lease=60, fraction=0.6)

    assert is_held_before
    assert not is_held_after


def test_a_transient_failure_is_tried_again_and_then_ends_the_job(
    database: Database, job: UUID
) -> None:
    (first,) = claim(database, job, Stage.SURVEY)
    fail(database, first)
    (second,) = claim(database, job, Stage.SURVEY)
    phase_between = read_job(database, job).phase
    fail(database, second)

    ended = read_job(database, job)
    assert (first.attempt, second.attempt) == (1, 2)
    assert phase_between == Phase.EXECUTING
    assert ended.phase == Phase.ERROR
    assert ended.problem == PROBLEM


def test_a_fatal_failure_ends_the_job_at_once(database: Database, job: UUID) -> None:
    (survey,) = claim(database, job, Stage.SURVEY)

    fail(database, survey, is_fatal=True)

    assert read_job(database, job).phase == Phase.ERROR


def test_a_worker_whose_lease_ran_out_cannot_complete(database: Database, job: UUID) -> None:
    (lost,) = claim(database, job, Stage.SURVEY)
    with database.transaction() as tx:
        expire_leases_of(tx, "host-cpu/")
    reap(database, max_attempts=3, stale_after=900)
    (taken_over,) = claim(database, job, Stage.SURVEY)

    with pytest.raises(LostClaimError):
        complete(database, lost)
    complete(database, taken_over)

    assert taken_over.attempt == lost.attempt + 1


def test_only_the_leases_of_the_dead_worker_expire(database: Database, job: UUID) -> None:
    (survey,) = claim(database, job, Stage.SURVEY)
    with database.transaction() as tx:
        expire_leases_of(tx, "host-c_u/")

    assert reap(database, max_attempts=3, stale_after=900).n_requeued == 0
    complete(database, survey)


def test_a_unit_that_kills_its_workers_ends_the_job(database: Database, job: UUID) -> None:
    for _ in range(2):
        assert claim(database, job, Stage.SURVEY)
        with database.transaction() as tx:
            expire_leases_of(tx, "host-cpu/")
        reap(database, max_attempts=2, stale_after=900)

    ended = read_job(database, job)
    assert ended.phase == Phase.ERROR
    assert ended.problem is not None
    assert ended.problem["code"] == "worker-lost"


def test_a_message_that_the_broker_lost_is_written_again(database: Database, job: UUID) -> None:
    with database.transaction() as tx:
        tx.execute(text("DELETE FROM outbox"))
        tx.execute(text("UPDATE work_unit SET queued_at = now() - interval '1 hour'"))

    reap(database, max_attempts=3, stale_after=900)
    reap(database, max_attempts=3, stale_after=900)

    assert messages(database).count(("cpu", "SURVEY")) == 1


def test_recover_queues_again_what_was_running(database: Database, job: UUID) -> None:
    claim(database, job, Stage.SURVEY)

    recover(database, max_attempts=10)

    (again,) = claim(database, job, Stage.SURVEY)
    assert again.attempt == 2


def test_an_illegal_transition_is_refused(database: Database, job: UUID) -> None:
    with pytest.raises(StaleTransitionError), database.transaction() as tx:
        transition(tx, job, Phase.COMPLETED)

    assert read_job(database, job).phase == Phase.QUEUED


def test_a_fatal_ingest_rejects_the_catalogue_with_its_problem(
    database: Database, make_catalog: Callable[[CatalogState], UUID]
) -> None:
    catalog = make_catalog(CatalogState.INGESTING)
    with database.transaction() as tx:
        ingest = tx.get_one(CatalogRow, catalog).ingest_job_id
    assert ingest is not None
    (claimed,) = claim(database, ingest, Stage.INGEST)

    fail(database, claimed, is_fatal=True)

    with database.transaction() as tx:
        row = tx.get_one(CatalogRow, catalog)
    assert row.state == CatalogState.REJECTED
    assert row.problem == PROBLEM


def test_two_workers_that_complete_at_once_open_the_next_stage_once(
    database: Database, job: UUID
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    (survey,) = claim(database, job, Stage.SURVEY)
    complete(database, survey, n_next=8)
    claims = claim(database, job, Stage.SELECTION, limit=8)

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda each: complete(database, each), claims))

    with database.transaction() as tx:
        n_units = tx.scalar(
            select(func.count()).select_from(text("work_unit")).where(text("stage = 'ADAPTATION'"))
        )
    assert n_units == 8
    assert len(claim(database, job, Stage.ADAPTATION, limit=8)) == 8
