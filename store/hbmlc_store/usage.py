"""Metered use: one record a job, written with the job's end."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Integer, cast, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hbmlc_store.schema import CatalogRow, JobRow, UsageRow

__all__ = ["list_usage", "record_usage"]


def record_usage(tx: Session, job_id: UUID) -> None:
    """Record what a job that just ended used; a second call changes nothing."""
    n_galaxies = func.coalesce(CatalogRow.report["n_rows"].astext.cast(Integer), 0)
    n_tiles = func.coalesce(CatalogRow.report["coverage", "n_tiles"].astext.cast(Integer), 0)
    seconds = func.extract("epoch", JobRow.ended_at - JobRow.started_at)
    source = (
        select(
            JobRow.id,
            JobRow.account_id,
            JobRow.phase,
            n_galaxies,
            n_tiles,
            func.coalesce(seconds, cast(literal(0), Integer)),
            JobRow.started_at,
        )
        .join(CatalogRow, CatalogRow.id == JobRow.catalog_id)
        .where(JobRow.id == job_id)
    )
    columns = ["job_id", "account_id", "phase", "n_galaxies", "n_tiles", "seconds", "started_at"]
    tx.execute(insert(UsageRow).from_select(columns, source).on_conflict_do_nothing())


def list_usage(
    tx: Session, account_id: UUID, *, limit: int, before: UUID | None = None
) -> list[UsageRow]:
    """List an account's records, newest job first, from before a job on."""
    query = select(UsageRow).where(UsageRow.account_id == account_id)
    if before is not None:
        query = query.where(UsageRow.job_id < before)
    return list(tx.scalars(query.order_by(UsageRow.job_id.desc()).limit(limit)))
