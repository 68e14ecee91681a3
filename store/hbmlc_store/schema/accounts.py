"""Tables ``account`` and ``api_key``."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, Created, Identifier
from hbmlc_store.schema.keys import KeyColumns

__all__ = ["AccountRow", "ApiKeyRow"]


class AccountRow(Base):
    """One customer; every other object belongs to one."""

    __tablename__ = "account"

    id: Mapped[Identifier]
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]


class ApiKeyRow(KeyColumns, Base):
    """One API key of an account."""

    __tablename__ = "api_key"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
