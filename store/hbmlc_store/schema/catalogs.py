"""Table ``catalog``."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, Created, Identifier, JsonObject

__all__ = ["CatalogRow"]


class CatalogRow(Base):
    """One uploaded catalogue."""

    __tablename__ = "catalog"
    __table_args__ = (Index(None, "account_id", "id"),)

    id: Mapped[Identifier]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[Created]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    deleted_at: Mapped[datetime | None]
    """Set where the content is purged; the row stays for the jobs that point at it."""
    size_bytes: Mapped[int | None]
    content_digest: Mapped[str | None]
    content_key: Mapped[str | None]
    """Object with the bytes as uploaded; every upload has one of its own."""
    digest: Mapped[str | None]
    """sha256 of the canonical file."""
    canonical_key: Mapped[str | None]
    """Object with the canonical file; every attempt at an ingest has one of its own."""
    mapping: Mapped[JsonObject | None]
    report: Mapped[JsonObject | None]
    problem: Mapped[JsonObject | None]
    ingest_job_id: Mapped[UUID | None]
    """The ingest that speaks for the catalogue; an older one may not change it."""
