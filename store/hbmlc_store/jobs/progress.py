"""How far jobs are, from their stages and running units."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hbmlc.schemas import Progress, Stage, StageProgress
from hbmlc_store.schema import StageRow, UnitRow

__all__ = ["progress_of"]


def progress_of(tx: Session, job_ids: Sequence[UUID]) -> dict[UUID, Progress]:
    """Progress of each job, whatever its phase."""
    running = {
        (job_id, stage): fraction
        for job_id, stage, fraction in tx.execute(
            select(UnitRow.job_id, UnitRow.stage, func.sum(UnitRow.fraction))
            .where(UnitRow.job_id.in_(job_ids), UnitRow.state == "RUNNING")
            .group_by(UnitRow.job_id, UnitRow.stage)
        )
    }
    stages: dict[UUID, list[StageProgress]] = {job_id: [] for job_id in job_ids}
    rows = select(StageRow).where(StageRow.job_id.in_(job_ids)).order_by(StageRow.position)
    for row in tx.scalars(rows):
        worked = row.done + running.get((row.job_id, row.stage), 0.0)
        stages[row.job_id].append(
            StageProgress(
                stage=Stage(row.stage),
                done=row.done,
                total=row.total,
                fraction=min(worked / row.total, 1.0) if row.total else 0.0,
                started_at=row.started_at,
                ended_at=row.ended_at,
            )
        )
    return {
        job_id: Progress(
            fraction=sum(stage.fraction for stage in found) / len(found) if found else 0.0,
            stages=found,
        )
        for job_id, found in stages.items()
    }
