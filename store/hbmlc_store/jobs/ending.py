"""How a job ends: completed, failed or aborted, each with its bookkeeping in one transaction."""

from __future__ import annotations

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from hbmlc.schemas import CatalogState, Phase
from hbmlc_store.jobs.phases import transition
from hbmlc_store.jobs.stages import JobKind
from hbmlc_store.schema import CatalogRow, JobRow, JsonObject, UnitRow
from hbmlc_store.usage import record_usage

__all__ = ["abort_job", "complete_job", "fail_job"]


def complete_job(tx: Session, job: JobRow) -> None:
    """End a job whose last stage is done."""
    transition(tx, job.id, Phase.COMPLETED)
    _end(tx, job)


def fail_job(tx: Session, job: JobRow, *, problem: JsonObject) -> None:
    """End a job in ERROR with the problem that ended it."""
    transition(tx, job.id, Phase.ERROR)
    tx.execute(update(JobRow).where(JobRow.id == job.id).values(problem=problem))
    if job.kind == JobKind.INGEST:
        tx.execute(
            update(CatalogRow)
            .where(CatalogRow.id == job.catalog_id, CatalogRow.ingest_job_id == job.id)
            .values(state=CatalogState.REJECTED.value, problem=problem, updated_at=func.now())
        )
    _end(tx, job)


def abort_job(tx: Session, job: JobRow) -> None:
    """End a job because its owner wants so; claims on its units are lost from here on."""
    transition(tx, job.id, Phase.ABORTED)
    _end(tx, job)


def _end(tx: Session, job: JobRow) -> None:
    tx.execute(
        update(UnitRow)
        .where(UnitRow.job_id == job.id, UnitRow.state.in_(["READY", "RUNNING"]))
        .values(state="CANCELLED", lease_until=None, ended_at=func.clock_timestamp())
    )
    if job.kind != JobKind.INGEST:
        record_usage(tx, job.id)
