"""Tables ``model_version`` and ``model_alias``."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Identity, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, Created, JsonObject

__all__ = ["ModelAliasRow", "ModelVersionRow"]


class ModelVersionRow(Base):
    """One immutable version of a model."""

    __tablename__ = "model_version"

    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    digest: Mapped[str]
    bands: Mapped[list[str]] = mapped_column(ARRAY(Text))
    card: Mapped[JsonObject]
    created_at: Mapped[Created]


class ModelAliasRow(Base):
    """One setting of an alias; the row without ``replaced_at`` is the present one."""

    __tablename__ = "model_alias"
    __table_args__ = (
        ForeignKeyConstraint(["name", "version"], ["model_version.name", "model_version.version"]),
        Index(
            "uq_model_alias_present",
            "name",
            "alias",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    alias: Mapped[str]
    version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[Created]
    replaced_at: Mapped[datetime | None]
