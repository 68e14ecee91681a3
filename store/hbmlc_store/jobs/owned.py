"""Jobs as their owners see them, whatever kind they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from hbmlc.schemas import Phase
from hbmlc_store.errors import NotFoundError
from hbmlc_store.jobs.ending import abort_job
from hbmlc_store.jobs.phases import ACTIVE, lock_job, transition
from hbmlc_store.jobs.stages import JobKind
from hbmlc_store.keys import job_prefix
from hbmlc_store.purges import add_purge_below
from hbmlc_store.schema import JobRow, ResultRow, TrainingCatalogRow

__all__ = ["abort_owned", "active_digests", "delete_owned", "find_job", "list_jobs"]

_MISSING: Mapping[JobKind, Mapping[str, str]] = {
    JobKind.INGEST: {
        "code": "no-such-job",
        "detail": "There is no such ingest; GET /v1/catalogs lists your catalogues.",
    },
    JobKind.CALIBRATION: {
        "code": "no-such-calibration",
        "detail": "There is no such calibration; GET /v1/calibrations lists yours.",
    },
    JobKind.TRAINING: {
        "code": "no-such-training",
        "detail": "There is no such training; GET /v1/trainings lists yours.",
    },
}


def find_job(tx: Session, account_id: UUID, job_id: UUID, *, kind: JobKind) -> JobRow:
    """Find an account's job of a kind.

    Raises
    ------
    NotFoundError
        There is none, or it belongs to another account, or it was deleted.
    """
    row = tx.scalars(
        select(JobRow).where(
            JobRow.id == job_id,
            JobRow.account_id == account_id,
            JobRow.kind == kind,
            JobRow.purged_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        missing = _MISSING[kind]
        raise NotFoundError(missing["code"], missing["detail"])
    return row


def list_jobs(
    tx: Session,
    account_id: UUID,
    *,
    kind: JobKind,
    limit: int,
    before: UUID | None = None,
    catalog_id: UUID | None = None,
) -> list[JobRow]:
    """List an account's jobs of a kind, newest first, from before an id on."""
    query = select(JobRow).where(
        JobRow.account_id == account_id,
        JobRow.kind == kind,
        JobRow.purged_at.is_(None),
    )
    if before is not None:
        query = query.where(JobRow.id < before)
    if catalog_id is not None:
        query = query.where(JobRow.catalog_id == catalog_id)
    return list(tx.scalars(query.order_by(JobRow.id.desc()).limit(limit)))


def abort_owned(tx: Session, account_id: UUID, job_id: UUID, *, kind: JobKind) -> None:
    """Abort a job; one that already was aborted stays so.

    Raises
    ------
    NotFoundError
        The account has no such job.
    StaleTransitionError
        It has ended otherwise.
    """
    find_job(tx, account_id, job_id, kind=kind)
    job = lock_job(tx, job_id)
    if job.phase != Phase.ABORTED:
        abort_job(tx, job)


def active_digests(tx: Session, digests: Collection[str]) -> set[str]:
    """Those of the catalogues' digests on which a job works that has not ended."""
    is_active = JobRow.phase.in_(ACTIVE)
    of_jobs = select(JobRow.catalog_digest).where(is_active, JobRow.catalog_digest.in_(digests))
    of_trainings = (
        select(TrainingCatalogRow.digest)
        .join(JobRow, JobRow.id == TrainingCatalogRow.job_id)
        .where(is_active, TrainingCatalogRow.digest.in_(digests))
    )
    found = {*tx.scalars(of_jobs), *tx.scalars(of_trainings)}
    return {digest for digest in found if digest is not None}


def delete_owned(tx: Session, account_id: UUID, job_id: UUID, *, kind: JobKind) -> None:
    """Delete a job; only its metering record stays, and its objects go soon after.

    Raises
    ------
    NotFoundError
        The account has no such job.
    """
    find_job(tx, account_id, job_id, kind=kind)
    job = lock_job(tx, job_id)
    if not Phase(job.phase).is_final:
        abort_job(tx, job)
    transition(tx, job_id, Phase.ARCHIVED)
    tx.execute(delete(ResultRow).where(ResultRow.job_id == job_id))
    tx.execute(update(JobRow).where(JobRow.id == job_id).values(purged_at=func.now()))
    add_purge_below(tx, job_prefix(job_id))
