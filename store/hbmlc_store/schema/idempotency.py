"""Table ``idempotency_key``."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, Created

__all__ = ["IdempotencyRow"]


class IdempotencyRow(Base):
    """One answered creation, so that a repeated request gets the same object."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index(None, "created_at"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    object_id: Mapped[UUID]
    created_at: Mapped[Created]
