"""Table ``operator_key``: those who run the service, apart from every account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, Created, Identifier

__all__ = ["OperatorKeyRow"]


class OperatorKeyRow(Base):
    """One operator's key, kept as a keyed hash only."""

    __tablename__ = "operator_key"

    id: Mapped[Identifier]
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    """Public part of the key, by which it is looked up."""
    digest: Mapped[str]
    """HMAC-SHA256 of the whole key under the service's secret."""
    created_at: Mapped[Created]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
