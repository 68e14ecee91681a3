"""Table ``job_stage``: the counter on which the units of a stage meet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base

__all__ = ["StageRow"]


class StageRow(Base):
    """One stage of one job; ``done`` rises under a row lock, so exactly one unit sees the last."""

    __tablename__ = "job_stage"
    __table_args__ = (CheckConstraint("done BETWEEN 0 AND total", name="done"),)

    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    """Order of the stages in their job."""
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
