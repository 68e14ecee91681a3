"""Tables ``training`` and ``training_catalog``: what a training has beyond a job."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, JsonObject

__all__ = ["TrainingCatalogRow", "TrainingRow"]


class TrainingRow(Base):
    """One training: the version that it makes, and what came of it.

    The number is given with the request, so that a repeated task writes the same bytes. It is never
    given again, also where the training fails.
    """

    __tablename__ = "training"
    __table_args__ = (
        UniqueConstraint("account_id", "name", "version"),
        CheckConstraint("promote IN ('if-better', 'never')", name="promote"),
    )

    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    version: Mapped[int] = mapped_column(Integer)
    promote: Mapped[str]
    result: Mapped[JsonObject | None]
    """The registered version, its metrics and the verdict of the gate."""


class TrainingCatalogRow(Base):
    """One catalogue that a training learns from."""

    __tablename__ = "training_catalog"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    catalog_id: Mapped[UUID] = mapped_column(ForeignKey("catalog.id"), index=True)
    digest: Mapped[str | None]
    """sha256 of the canonical file when the training was asked for."""
