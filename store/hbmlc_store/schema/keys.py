"""What the tables of keys share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Created, Identifier

__all__ = ["KeyColumns"]


class KeyColumns:
    """Columns of a key, which is kept as a keyed hash only."""

    id: Mapped[Identifier]
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    """Public part of the key, by which it is looked up."""
    digest: Mapped[str]
    """HMAC-SHA256 of the whole key under the service's secret."""
    created_at: Mapped[Created]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
