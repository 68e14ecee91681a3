"""Table ``audit_event``: who did what to which object."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, Created, Identifier, JsonObject

__all__ = ["AuditRow"]


class AuditRow(Base):
    """One change that somebody asked for; commits with the change itself."""

    __tablename__ = "audit_event"
    __table_args__ = (Index(None, "account_id", "id"),)

    id: Mapped[Identifier]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    """Account whose object it was; NULL for what belongs to nobody, as a shipped model."""
    actor: Mapped[str]
    """``key <id>`` or ``operator <id>``."""
    action: Mapped[str]
    """Kind of object and what was done, as ``catalog.delete``."""
    object_id: Mapped[str | None]
    request_id: Mapped[str | None]
    details: Mapped[JsonObject | None]
    created_at: Mapped[Created]
