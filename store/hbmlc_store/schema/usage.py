"""Table ``usage_record``."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Float, ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, Created

__all__ = ["UsageRow"]


class UsageRow(Base):
    """Metered use of one job; its key makes a second record impossible."""

    __tablename__ = "usage_record"

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[str] = mapped_column(server_default="calibration")
    phase: Mapped[str]
    n_galaxies: Mapped[int]
    n_tiles: Mapped[int] = mapped_column(Integer)
    seconds: Mapped[float] = mapped_column(Float)
    started_at: Mapped[datetime | None]
    created_at: Mapped[Created]
