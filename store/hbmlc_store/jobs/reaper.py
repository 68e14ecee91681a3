"""The reaper: what a dead worker or a forgetful broker left lying is queued again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from hbmlc.schemas import Phase, Stage
from hbmlc_store.database import Database
from hbmlc_store.jobs.ending import fail_job
from hbmlc_store.jobs.phases import lock_job
from hbmlc_store.jobs.stages import enqueue
from hbmlc_store.schema import UnitRow

__all__ = ["expire_leases_of", "reap", "recover"]


def reap(database: Database, *, max_attempts: int, stale_after: float) -> int:
    """Queue again what lost its worker, announce again what waited long; returns how many."""
    lost = _requeue(database, UnitRow.lease_until < func.now(), max_attempts=max_attempts)
    return lost + _announce(
        database, UnitRow.queued_at < func.now() - timedelta(seconds=stale_after)
    )


def recover(database: Database, *, max_attempts: int) -> int:
    """Queue everything again at once: for a start at which no worker can be alive."""
    lost = _requeue(database, UnitRow.lease_until.is_not(None), max_attempts=max_attempts)
    return lost + _announce(database, UnitRow.queued_at.is_not(None))


def expire_leases_of(tx: Session, worker: str) -> None:
    """End the leases of a worker that is known to be dead; the next round of the reaper acts."""
    tx.execute(
        update(UnitRow)
        .where(UnitRow.state == "RUNNING", UnitRow.worker.startswith(worker, autoescape=True))
        .values(lease_until=func.now() - timedelta(seconds=1))
    )


def _requeue(database: Database, condition: ColumnElement[bool], *, max_attempts: int) -> int:
    with database.transaction() as tx:
        jobs = tx.scalars(
            select(UnitRow.job_id).where(UnitRow.state == "RUNNING", condition).distinct()
        ).all()
    return sum(_requeue_job(database, job_id, condition, max_attempts) for job_id in jobs)


def _requeue_job(
    database: Database, job_id: UUID, condition: ColumnElement[bool], max_attempts: int
) -> int:
    with database.transaction() as tx:
        job = lock_job(tx, job_id)
        if job.phase != Phase.EXECUTING:
            return 0
        lost = tx.scalars(
            select(UnitRow).where(UnitRow.job_id == job_id, UnitRow.state == "RUNNING", condition)
        ).all()
        for row in lost:
            row.lease_until = None
            problem = {
                "code": "worker-lost",
                "detail": (
                    f"The worker at {row.stage} unit {row.unit} stopped answering "
                    f"in attempt {row.attempt} of {max_attempts}."
                ),
            }
            row.problem = problem
            if row.attempt >= max_attempts:
                row.state = "FAILED"
                tx.flush()
                fail_job(tx, job, problem=problem)
                return len(lost)
            row.state = "READY"
            row.queued_at = func.now()
            enqueue(tx, job_id, Stage(row.stage), n_units=1)
        return len(lost)


def _announce(database: Database, condition: ColumnElement[bool]) -> int:
    """Write a new message for ready units; one that was not lost after all does no harm."""
    with database.transaction() as tx:
        waiting = tx.execute(
            update(UnitRow)
            .where(UnitRow.state == "READY", condition)
            .values(queued_at=func.now())
            .returning(UnitRow.job_id, UnitRow.stage)
        ).all()
        counts: dict[tuple[UUID, Stage], int] = {}
        for job_id, stage in waiting:
            counts[job_id, Stage(stage)] = counts.get((job_id, Stage(stage)), 0) + 1
        for (job_id, stage), n_units in counts.items():
            enqueue(tx, job_id, stage, n_units=n_units)
        return len(waiting)
