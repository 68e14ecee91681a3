"""Tables ``account`` and ``api_key``."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, Created, Identifier

__all__ = ["AccountRow", "ApiKeyRow"]


class AccountRow(Base):
    """One customer; every other object belongs to one."""

    __tablename__ = "account"

    id: Mapped[Identifier]
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]


class ApiKeyRow(Base):
    """One API key, kept as a keyed hash only."""

    __tablename__ = "api_key"

    id: Mapped[Identifier]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    """Public part of the key, by which it is looked up."""
    digest: Mapped[str]
    """HMAC-SHA256 of the whole key under the service's secret."""
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[Created]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
