"""Tables ``model_version`` and ``model_alias``."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from hbmlc_store.schema.base import Base, Created, Identifier, JsonObject

__all__ = ["ModelAliasRow", "ModelVersionRow"]


class ModelVersionRow(Base):
    """One immutable version of a model."""

    __tablename__ = "model_version"
    __table_args__ = (
        UniqueConstraint("account_id", "name", "version", postgresql_nulls_not_distinct=True),
    )

    id: Mapped[Identifier]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    """Whose version it is; NULL for one that ships with a release and serves everybody."""
    name: Mapped[str]
    version: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str]
    bands: Mapped[list[str]] = mapped_column(ARRAY(Text))
    card: Mapped[JsonObject]
    training_id: Mapped[UUID | None] = mapped_column(ForeignKey("job.id"))
    """Training that made it; NULL for one that ships with a release."""
    created_at: Mapped[Created]


class ModelAliasRow(Base):
    """One setting of an alias; the row without ``replaced_at`` is the present one."""

    __tablename__ = "model_alias"
    __table_args__ = (
        Index(
            "uq_model_alias_present",
            "account_id",
            "name",
            "alias",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    """Owner of the model, as of its versions."""
    name: Mapped[str]
    alias: Mapped[str]
    version_id: Mapped[UUID] = mapped_column(ForeignKey("model_version.id"))
    set_by: Mapped[str | None]
    """Who set it: ``release``, ``key <id>`` or ``training <id>``."""
    verdict: Mapped[JsonObject | None]
    """What the gate said, where a training set it."""
    created_at: Mapped[Created]
    replaced_at: Mapped[datetime | None]
