"""Table ``job``: ingests, calibrations and trainings share one life cycle."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc.schemas import Phase
from hbmlc_store.schema.base import Base, Created, Identifier, JsonObject

__all__ = ["JobRow"]

_PHASES = ", ".join(f"'{phase}'" for phase in Phase)


class JobRow(Base):
    """One job."""

    __tablename__ = "job"
    __table_args__ = (
        Index(None, "account_id", "kind", "id"),
        CheckConstraint(f"phase IN ({_PHASES})", name="phase"),
        CheckConstraint("kind IN ('ingest', 'calibration', 'training')", name="kind"),
    )

    id: Mapped[Identifier]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    catalog_id: Mapped[UUID] = mapped_column(ForeignKey("catalog.id"), index=True)
    """The catalogue; of a training the first, see ``training_catalog``."""
    catalog_digest: Mapped[str | None]
    phase: Mapped[str]
    model_name: Mapped[str | None]
    model_version: Mapped[int | None]
    model_digest: Mapped[str | None]
    options: Mapped[JsonObject]
    seed: Mapped[int]
    label: Mapped[str | None]
    request_id: Mapped[str | None]
    """Request that asked for the job; its workers log it, too."""
    created_at: Mapped[Created]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
    """Set where the owner deleted the job; the metering record stays."""
    diagnostics: Mapped[JsonObject | None]
    problem: Mapped[JsonObject | None]
