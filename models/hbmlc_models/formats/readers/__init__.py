"""Readers of tables: one open table, its columns, and its rows in batches of bounded size."""

from __future__ import annotations

from hbmlc_models.formats.readers._open import open_table
from hbmlc_models.formats.readers._table import SourceColumn, SourceTable, TableChoice

__all__ = ["SourceColumn", "SourceTable", "TableChoice", "open_table"]
