"""Phases of a job: one table says which may follow which, and the row decides."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from hbmlc.schemas import Phase
from hbmlc_store.errors import NotFoundError, StaleTransitionError
from hbmlc_store.schema import JobRow

__all__ = ["ACTIVE", "MAY_PRECEDE", "lock_job", "transition"]

MAY_PRECEDE: Mapping[Phase, frozenset[Phase]] = {
    Phase.PENDING: frozenset(),
    Phase.HELD: frozenset({Phase.PENDING, Phase.QUEUED}),
    Phase.QUEUED: frozenset({Phase.PENDING, Phase.HELD, Phase.SUSPENDED}),
    Phase.EXECUTING: frozenset({Phase.QUEUED, Phase.SUSPENDED}),
    Phase.SUSPENDED: frozenset({Phase.QUEUED, Phase.EXECUTING}),
    Phase.COMPLETED: frozenset({Phase.EXECUTING}),
    Phase.ERROR: frozenset({Phase.QUEUED, Phase.EXECUTING, Phase.SUSPENDED}),
    Phase.ABORTED: frozenset(
        {Phase.PENDING, Phase.HELD, Phase.QUEUED, Phase.EXECUTING, Phase.SUSPENDED}
    ),
    Phase.ARCHIVED: frozenset({Phase.COMPLETED, Phase.ERROR, Phase.ABORTED}),
}
"""Phase to the phases from which it may be entered."""

ACTIVE = frozenset(phase for phase in Phase if not phase.is_final)
"""Phases of a job that may still change its catalogue's fate."""


def transition(tx: Session, job_id: UUID, phase: Phase) -> None:
    """Move a job to a phase, in one guarded statement.

    Raises
    ------
    StaleTransitionError
        The job is not in a phase that may precede this one.
    """
    moved = tx.execute(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.phase.in_(MAY_PRECEDE[phase]))
        .values(
            phase=phase.value,
            started_at=case(
                (JobRow.started_at.is_(None) & (phase is Phase.EXECUTING), func.now()),
                else_=JobRow.started_at,
            ),
            ended_at=case(
                (JobRow.ended_at.is_(None) & phase.is_final, func.clock_timestamp()),
                else_=JobRow.ended_at,
            ),
        )
        .returning(JobRow.id)
    ).one_or_none()
    if moved is None:
        raise StaleTransitionError(
            "phase-conflict", f"The job is in a phase from which it cannot become {phase.value}."
        )


def lock_job(tx: Session, job_id: UUID) -> JobRow:
    """Lock a job's row. Whoever changes a job, its units or stages locks it first, so the order of
    locks is the same everywhere and a claim, a completion and an abort happen one after the other.

    Raises
    ------
    NotFoundError
        There is no such job.
    """  # noqa: D205 - the second sentence is the contract
    row = tx.scalars(
        select(JobRow)
        .where(JobRow.id == job_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFoundError("no-such-job", f"There is no job {job_id}.")
    return row
