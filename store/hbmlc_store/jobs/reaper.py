"""The reaper: what a dead worker or a forgetful broker left lying is queued again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Text, cast, exists, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from hbmlc.schemas import Phase, Stage
from hbmlc_store.database import Database
from hbmlc_store.jobs.ending import fail_job
from hbmlc_store.jobs.phases import lock_job
from hbmlc_store.jobs.stages import Queue, enqueue, queue_of
from hbmlc_store.schema import JobRow, OutboxRow, UnitRow

__all__ = [
    "Reaped",
    "announce_idle",
    "bury",
    "expire_leases_of",
    "extend_leases",
    "oldest_ready",
    "reap",
    "recover",
]


logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reaped:
    """What a round of the reaper did."""

    n_requeued: int = 0
    """Units whose worker was lost."""
    n_announced: int = 0
    """Units that waited too long for their message."""
    job_ids: frozenset[UUID] = frozenset()
    """Jobs whose units had lost their worker."""

    def __add__(self, other: Reaped) -> Reaped:
        """Sum of two rounds."""
        return Reaped(
            self.n_requeued + other.n_requeued,
            self.n_announced + other.n_announced,
            self.job_ids | other.job_ids,
        )


def reap(database: Database, *, max_attempts: int, stale_after: float) -> Reaped:
    """Queue again what lost its worker, announce again what waited long."""
    lost = _requeue(database, UnitRow.lease_until < func.now(), UnitRow.failures, max_attempts)
    stale = UnitRow.queued_at < func.now() - timedelta(seconds=stale_after)
    return lost + Reaped(n_announced=_announce(database, stale))


def bury(database: Database, worker: str, *, max_attempts: int, stale_after: float) -> Reaped:
    """Queue again at once what workers held that are known to be dead (``expire_leases_of``)."""
    with database.transaction() as tx:
        expire_leases_of(tx, worker)
    return reap(database, max_attempts=max_attempts, stale_after=stale_after)


def recover(database: Database, *, max_attempts: int) -> Reaped:
    """Queue everything again at once: for a start at which no worker can be alive.

    A stopped service is no fault of the unit, so here all attempts count, and many are allowed.
    """
    lost = _requeue(database, UnitRow.lease_until.is_not(None), UnitRow.attempt, max_attempts)
    return lost + Reaped(n_announced=_announce(database, UnitRow.queued_at.is_not(None)))


def announce_idle(database: Database, queue: Queue, *, after: float) -> int:
    """Announce again what waits in a queue that the broker says is empty; returns how many.

    A broker that forgot its messages costs seconds this way. A message that was not lost after all
    does no harm: its task finds nothing to claim.
    """
    stages = [stage.value for stage in Stage if queue_of(stage) is queue]
    waits = UnitRow.queued_at < func.now() - timedelta(seconds=after)
    return _announce(database, UnitRow.stage.in_(stages) & waits)


def expire_leases_of(tx: Session, worker: str) -> None:
    """End the leases of workers that are known to be dead; the next round of the reaper acts.

    ``worker`` is the beginning of their names; a whole name ends the leases of that one alone.
    """
    is_dead = (UnitRow.worker == worker) | UnitRow.worker.startswith(
        worker if worker.endswith("/") else f"{worker}/", autoescape=True
    )
    tx.execute(
        update(UnitRow)
        .where(UnitRow.state == "RUNNING", is_dead)
        .values(lease_until=func.now() - timedelta(seconds=1))
    )


def extend_leases(database: Database, *, seconds: float) -> None:
    """Let every claim live for ``seconds`` from now: after an outage in which none was renewed."""
    lease_until = func.greatest(UnitRow.lease_until, func.now() + timedelta(seconds=seconds))
    with database.transaction() as tx:
        tx.execute(
            update(UnitRow).where(UnitRow.state == "RUNNING").values(lease_until=lease_until)
        )


def oldest_ready(tx: Session) -> dict[Queue, float]:
    """Age of the unit that has waited longest for a worker, by queue [s]."""
    age = func.extract("epoch", func.now() - func.min(UnitRow.queued_at))
    ages: dict[Queue, float] = {}
    rows = select(UnitRow.stage, age).where(UnitRow.state == "READY").group_by(UnitRow.stage)
    for stage, seconds in tx.execute(rows):
        queue = queue_of(Stage(stage))
        ages[queue] = max(ages.get(queue, 0.0), float(seconds))
    return ages


def _requeue(
    database: Database,
    condition: ColumnElement[bool],
    counted: InstrumentedAttribute[int],
    max_attempts: int,
) -> Reaped:
    with database.transaction() as tx:
        jobs = tx.scalars(
            select(UnitRow.job_id).where(UnitRow.state == "RUNNING", condition).distinct()
        ).all()
    reaped = Reaped()
    for job_id in jobs:
        with database.transaction() as tx:
            lost, given_up = _requeue_job(tx, job_id, condition, counted.key, max_attempts)
        if given_up is not None:
            _tell(*given_up)
        if lost:
            reaped += Reaped(n_requeued=lost, job_ids=frozenset({job_id}))
    return reaped


def _requeue_job(
    tx: Session, job_id: UUID, condition: ColumnElement[bool], counted: str, max_attempts: int
) -> tuple[int, tuple[JobRow, UnitRow] | None]:
    """Queue the lost units of a job again; gives their number, and what ended the job."""
    job = lock_job(tx, job_id)
    if job.phase != Phase.EXECUTING:
        return 0, None
    lost = tx.scalars(
        select(UnitRow).where(UnitRow.job_id == job_id, UnitRow.state == "RUNNING", condition)
    ).all()
    for row in lost:
        row.lease_until = None
        row.failures += 1
        problem = {
            "code": "worker-lost",
            "detail": (
                f"The worker at {row.stage} unit {row.unit} stopped answering "
                f"in attempt {row.attempt}."
            ),
        }
        row.problem = problem
        if getattr(row, counted) >= max_attempts:
            row.state = "FAILED"
            tx.flush()
            fail_job(tx, job, problem=problem)
            return len(lost), (job, row)
        row.state = "READY"
        row.queued_at = func.now()
        enqueue(tx, job_id, Stage(row.stage), n_units=1)
    return len(lost), None


def _tell(job: JobRow, unit: UnitRow) -> None:
    """Leave the one line that a failed job leaves: here no worker is alive to do it."""
    logger.error(
        "Job failed",
        job_id=str(job.id),
        account_id=str(job.account_id),
        request_id=job.request_id,
        stage=unit.stage,
        unit=unit.unit,
        worker=unit.worker,
        code="worker-lost",
    )


def _announce(database: Database, condition: ColumnElement[bool]) -> int:
    """Write a new message for ready units; one that was not lost after all does no harm."""
    with database.transaction() as tx:
        # While the broker is down the outbox keeps their message: another one would only add up.
        is_waiting = exists().where(
            OutboxRow.payload["job_id"].astext == cast(UnitRow.job_id, Text),
            OutboxRow.payload["stage"].astext == UnitRow.stage,
        )
        waiting = tx.execute(
            update(UnitRow)
            .where(UnitRow.state == "READY", condition, ~is_waiting)
            .values(queued_at=func.now())
            .returning(UnitRow.job_id, UnitRow.stage)
        ).all()
        counts = Counter((job_id, Stage(stage)) for job_id, stage in waiting)
        for (job_id, stage), n_units in counts.items():
            enqueue(tx, job_id, stage, n_units=n_units)
        return len(waiting)
