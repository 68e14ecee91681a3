"""File formats: the only part of the science that reads and writes files."""

from __future__ import annotations

from hbmlc_models.formats.canonical import (
    CanonicalCatalog,
    CatalogSample,
    NotCanonicalError,
    TileEntry,
)
from hbmlc_models.formats.errors import CatalogError
from hbmlc_models.formats.ingest import ingest
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.mapping import ColumnMapping, FluxUnit
from hbmlc_models.formats.report import Coverage, IngestReport
from hbmlc_models.formats.sniff import FileFormat, sniff

__all__ = [
    "CanonicalCatalog",
    "CatalogError",
    "CatalogSample",
    "ColumnMapping",
    "Coverage",
    "FileFormat",
    "FluxUnit",
    "IngestLimits",
    "IngestReport",
    "NotCanonicalError",
    "TileEntry",
    "ingest",
    "sniff",
]
