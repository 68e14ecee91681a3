"""Table ``work_unit``: what one worker does at a time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, JsonObject

__all__ = ["UnitRow"]


class UnitRow(Base):
    """One unit of one stage; ``attempt`` is the fence that a late worker cannot pass."""

    __tablename__ = "work_unit"
    __table_args__ = (
        Index(None, "lease_until", postgresql_where=text("state = 'RUNNING'")),
        Index(None, "queued_at", postgresql_where=text("state = 'READY'")),
        CheckConstraint(
            "state IN ('READY', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')", name="state"
        ),
    )

    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    state: Mapped[str]
    attempt: Mapped[int] = mapped_column(Integer)
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    """Attempts that count against the unit; one whose worker was stopped does not."""
    queued_at: Mapped[datetime]
    """When its latest message was written."""
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    fraction: Mapped[float] = mapped_column(Float)
    payload: Mapped[JsonObject]
    object_key: Mapped[str | None]
    """What the completed attempt wrote; no other attempt writes there."""
    object_digest: Mapped[str | None]
    """sha256 of its bytes."""
    problem: Mapped[JsonObject | None]
    """What the latest failed attempt said."""
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
