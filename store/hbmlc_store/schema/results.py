"""Table ``result_file``."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base

__all__ = ["ResultRow"]


class ResultRow(Base):
    """One file among the results of a job."""

    __tablename__ = "result_file"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    size_bytes: Mapped[int]
    digest: Mapped[str]
    media_type: Mapped[str]
    object_key: Mapped[str]
