"""Readers of tables: one open table, its columns, and its rows in batches of bounded size."""

from __future__ import annotations

from hbmlc_models.formats.readers._open import open_table
from hbmlc_models.formats.readers._table import SourceTable

__all__ = ["SourceTable", "open_table"]
