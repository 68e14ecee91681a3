"""Metered use: one record a job, written with the job's end."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, Integer, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hbmlc_store.schema import CatalogRow, JobRow, TrainingCatalogRow, UsageRow

__all__ = ["list_usage", "record_usage"]


def record_usage(tx: Session, job_id: UUID) -> None:
    """Record what a job that just ended used of its catalogues; a second call changes nothing."""
    further = select(TrainingCatalogRow.catalog_id).where(TrainingCatalogRow.job_id == JobRow.id)
    n_galaxies = CatalogRow.report["n_rows"].astext.cast(BigInteger)
    n_tiles = CatalogRow.report["coverage", "n_tiles"].astext.cast(Integer)
    seconds = func.extract("epoch", JobRow.ended_at - JobRow.started_at)
    source = (
        select(
            JobRow.id,
            JobRow.account_id,
            JobRow.kind,
            JobRow.phase,
            func.coalesce(func.sum(n_galaxies), 0),
            func.coalesce(func.sum(n_tiles), 0),
            func.coalesce(seconds, cast(literal(0), Integer)),
            JobRow.started_at,
        )
        .join(
            CatalogRow,
            or_(CatalogRow.id == JobRow.catalog_id, CatalogRow.id.in_(further.correlate(JobRow))),
        )
        .where(JobRow.id == job_id)
        .group_by(JobRow.id)
    )
    columns = [
        "job_id",
        "account_id",
        "kind",
        "phase",
        "n_galaxies",
        "n_tiles",
        "seconds",
        "started_at",
    ]
    tx.execute(insert(UsageRow).from_select(columns, source).on_conflict_do_nothing())


def list_usage(
    tx: Session, account_id: UUID, *, limit: int, before: UUID | None = None
) -> list[UsageRow]:
    """List an account's records, newest job first, from before a job on."""
    query = select(UsageRow).where(UsageRow.account_id == account_id)
    if before is not None:
        query = query.where(UsageRow.job_id < before)
    return list(tx.scalars(query.order_by(UsageRow.job_id.desc()).limit(limit)))
