"""Work units: claim, lease, fence.

READY --claim--> RUNNING --complete--> DONE
  ^                 |---fail, attempts left, or lease run out---> READY, one failure more
  |                 |---given back by a worker that stops-------> READY
  |                 |---fail for good--------------------------> FAILED
  `---- either is CANCELLED when the job ends early
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, literal, or_, select, update
from sqlalchemy.orm import Session

from hbmlc.schemas import Phase, Stage
from hbmlc_store.database import Database
from hbmlc_store.errors import LostClaimError, NotFoundError
from hbmlc_store.jobs.ending import complete_job, fail_job
from hbmlc_store.jobs.phases import lock_job, transition
from hbmlc_store.jobs.stages import JobKind, enqueue, next_stage, open_stage
from hbmlc_store.schema import JobRow, JsonObject, StageRow, UnitRow

__all__ = [
    "Claim",
    "Output",
    "claim_units",
    "complete_unit",
    "fail_unit",
    "find_output",
    "give_back",
    "give_back_all_of",
    "is_completed",
    "renew_lease",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to work on one unit until the lease ends."""

    job_id: UUID
    stage: Stage
    unit: int
    attempt: int
    """Fence: a later claim has a higher number, and this one is then worth nothing."""
    payload: JsonObject = field(hash=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What an attempt wrote for the stages that follow."""

    key: str
    """Object that no other attempt writes."""
    digest: str | None
    """sha256 of its bytes; ``None`` for one of before digests were kept."""


def claim_units(
    tx: Session, job_id: UUID, stage: Stage, *, limit: int, worker: str, lease: float
) -> list[Claim]:
    """Claim up to ``limit`` ready units for ``lease`` seconds; none where nothing is to do."""
    try:
        job = lock_job(tx, job_id)
    except NotFoundError:
        return []
    if job.phase not in {Phase.QUEUED, Phase.EXECUTING}:
        return []
    ready = (
        select(UnitRow.unit)
        .where(UnitRow.job_id == job_id, UnitRow.stage == stage, UnitRow.state == "READY")
        .order_by(UnitRow.unit)
        .limit(limit)
    )
    claimed = tx.execute(
        update(UnitRow)
        .where(UnitRow.job_id == job_id, UnitRow.stage == stage, UnitRow.unit.in_(ready))
        .values(
            state="RUNNING",
            attempt=UnitRow.attempt + 1,
            lease_until=func.now() + timedelta(seconds=lease),
            worker=worker,
            fraction=0.0,
            started_at=func.now(),
        )
        .returning(UnitRow.unit, UnitRow.attempt, UnitRow.payload)
    ).all()
    if claimed and job.phase == Phase.QUEUED:
        transition(tx, job_id, Phase.EXECUTING)
    return sorted(
        (
            Claim(job_id=job_id, stage=stage, unit=unit, attempt=attempt, payload=payload)
            for unit, attempt, payload in claimed
        ),
        key=lambda claim: claim.unit,
    )


def renew_lease(tx: Session, claim: Claim, *, lease: float, fraction: float) -> bool:
    """Extend the lease and note the progress; False where the claim is lost."""
    renewed = tx.execute(
        update(UnitRow)
        .where(*_is_held(claim))
        .values(
            lease_until=func.now() + timedelta(seconds=lease),
            fraction=min(max(fraction, 0.0), 1.0),
        )
        .returning(UnitRow.unit)
    ).one_or_none()
    return renewed is not None


def complete_unit(
    tx: Session, claim: Claim, *, plan: Sequence[JsonObject] = ({},), output: Output | None = None
) -> None:
    """Complete the claimed attempt; a stage's last unit opens the next one or ends the job.

    ``plan`` holds the payloads of the next stage's units where this stage decides them; one that
    follows unit by unit takes over the payloads of the former. ``output`` is what the attempt
    wrote: from here on it is what the unit has.

    Raises
    ------
    LostClaimError
        The job was aborted, or the lease ran out and another worker has the unit.
    """
    job = lock_job(tx, claim.job_id)
    if job.phase != Phase.EXECUTING:
        raise _lost(claim)
    completed = tx.execute(
        update(UnitRow)
        .where(*_is_held(claim))
        .values(
            state="DONE",
            fraction=1.0,
            lease_until=None,
            ended_at=func.clock_timestamp(),
            object_key=None if output is None else output.key,
            object_digest=None if output is None else output.digest,
        )
        .returning(UnitRow.unit)
    ).one_or_none()
    if completed is None:
        raise _lost(claim)
    done, total = tx.execute(
        update(StageRow)
        .where(StageRow.job_id == claim.job_id, StageRow.stage == claim.stage)
        .values(done=StageRow.done + 1)
        .returning(StageRow.done, StageRow.total)
    ).one()
    if done == total:
        _close_stage(tx, job, claim.stage, plan=plan)


def fail_unit(
    tx: Session, claim: Claim, *, problem: JsonObject, is_fatal: bool, max_attempts: int
) -> bool:
    """Note that the claimed attempt failed: again if that may help, else the job ends in ERROR.

    Returns whether the job has ended.

    Raises
    ------
    LostClaimError
        The claim is no longer held, so nobody asks for its outcome.
    """
    job = lock_job(tx, claim.job_id)
    is_last = or_(literal(is_fatal), UnitRow.failures + 1 >= max_attempts)
    state = tx.execute(
        update(UnitRow)
        .where(*_is_held(claim))
        .values(
            state=case((is_last, "FAILED"), else_="READY"),
            failures=UnitRow.failures + 1,
            problem=problem,
            lease_until=None,
            queued_at=func.now(),
        )
        .returning(UnitRow.state)
    ).scalar_one_or_none()
    if state is None:
        raise _lost(claim)
    if state == "FAILED":
        fail_job(tx, job, problem=problem)
        return True
    enqueue(tx, claim.job_id, claim.stage, n_units=1)
    return False


def give_back(tx: Session, claim: Claim) -> None:
    """Return an unfinished unit without counting the attempt: nothing is wrong with it."""
    _give_back(tx, claim.job_id, claim.stage, *_is_held(claim))


def give_back_all_of(database: Database, workers: Collection[str]) -> int:
    """Return whatever processes hold that are being stopped; returns how many units."""
    is_of_worker = (UnitRow.state == "RUNNING", UnitRow.worker.in_(workers))
    with database.transaction() as tx:
        held = tx.execute(
            select(UnitRow.job_id, UnitRow.stage).where(*is_of_worker).distinct()
        ).all()
    n_units = 0
    for job_id, stage in held:
        with database.transaction() as tx:
            n_units += _give_back(tx, job_id, Stage(stage), *is_of_worker)
    return n_units


def find_output(tx: Session, job_id: UUID, stage: Stage, unit: int) -> Output:
    """Find what a completed unit wrote.

    Raises
    ------
    NotFoundError
        The unit is not done, or wrote nothing.
    """
    row = tx.get(UnitRow, (job_id, stage.value, unit))
    if row is None or row.object_key is None:
        raise NotFoundError("no-such-object", f"Unit {unit} of {stage} has written nothing.")
    return Output(key=row.object_key, digest=row.object_digest)


def is_completed(tx: Session, claim: Claim) -> bool:
    """Whether this very attempt has completed its unit."""
    row = tx.get(UnitRow, (claim.job_id, claim.stage.value, claim.unit))
    return row is not None and row.state == "DONE" and row.attempt == claim.attempt


def _give_back(tx: Session, job_id: UUID, stage: Stage, *which: ColumnElement[bool]) -> int:
    lock_job(tx, job_id)
    returned = tx.scalars(
        update(UnitRow)
        .where(UnitRow.job_id == job_id, UnitRow.stage == stage, *which)
        .values(state="READY", lease_until=None, queued_at=func.now())
        .returning(UnitRow.unit)
    ).all()
    if returned:
        enqueue(tx, job_id, stage, n_units=len(returned))
    return len(returned)


def _is_held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        UnitRow.job_id == claim.job_id,
        UnitRow.stage == claim.stage,
        UnitRow.unit == claim.unit,
        UnitRow.state == "RUNNING",
        UnitRow.attempt == claim.attempt,
    )


def _close_stage(tx: Session, job: JobRow, stage: Stage, *, plan: Sequence[JsonObject]) -> None:
    tx.execute(
        update(StageRow)
        .where(StageRow.job_id == job.id, StageRow.stage == stage)
        .values(ended_at=func.clock_timestamp())
    )
    following = next_stage(JobKind(job.kind), stage)
    if following is None:
        complete_job(tx, job)
    elif following is Stage.ADAPTATION:
        former = select(UnitRow.payload).where(UnitRow.job_id == job.id, UnitRow.stage == stage)
        payloads = tx.scalars(former.order_by(UnitRow.unit)).all()
        open_stage(tx, job.id, following, payloads=payloads)
    else:
        open_stage(tx, job.id, following, payloads=plan)


def _lost(claim: Claim) -> LostClaimError:
    return LostClaimError(
        "lost-claim",
        f"Attempt {claim.attempt} at unit {claim.unit} of {claim.stage} no longer holds its claim.",
    )
