"""Table ``outbox``: messages that commit with the change they announce."""

from __future__ import annotations

from sqlalchemy import BigInteger, Identity
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, Created, JsonObject

__all__ = ["OutboxRow"]


class OutboxRow(Base):
    """One message that the relay has yet to hand to the broker."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    queue: Mapped[str]
    payload: Mapped[JsonObject]
    created_at: Mapped[Created]
