"""Table ``operator_key``: those who run the service, apart from every account."""

from __future__ import annotations

from hbmlc_store.schema.base import Base
from hbmlc_store.schema.keys import KeyColumns

__all__ = ["OperatorKeyRow"]


class OperatorKeyRow(KeyColumns, Base):
    """One operator's key."""

    __tablename__ = "operator_key"
