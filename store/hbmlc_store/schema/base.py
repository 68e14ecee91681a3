"""The declarative base and the column types that tables share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from hbmlc_store.ids import new_id

__all__ = ["Base", "Created", "Identifier", "JsonObject"]

type_map = {
    datetime: DateTime(timezone=True),
    str: Text(),
    int: BigInteger(),
    dict[str, Any]: JSONB(none_as_null=True),
}

JsonObject = dict[str, Any]
Identifier = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Created = Annotated[datetime, mapped_column(server_default=func.now())]


class Base(DeclarativeBase):
    """Base of every table; constraint names are fixed so that migrations can name them."""

    type_annotation_map = type_map
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
