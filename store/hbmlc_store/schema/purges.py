"""Table ``purge``: objects that are to go, noted with the change that lets go of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Identity
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, Created

__all__ = ["PurgeRow"]


class PurgeRow(Base):
    """One object, or all below a prefix, that the keeper has yet to delete."""

    __tablename__ = "purge"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    prefix: Mapped[str]
    """Key of one object, or prefix of several, which ends with a slash."""
    created_at: Mapped[Created]
