"""File formats: the only part of the science that reads and writes files."""

from __future__ import annotations

from hbmlc_models.formats.canonical import (
    CanonicalCatalog,
    CatalogSample,
    NotCanonicalError,
    TileEntry,
)
from hbmlc_models.formats.errors import CatalogError
from hbmlc_models.formats.findings import Finding, FindingCode, Severity
from hbmlc_models.formats.ingest import ingest, inspect_table
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.quality_cut import QualityCut
from hbmlc_models.formats.report import BandReport, Coverage, IngestReport, LabelReport
from hbmlc_models.formats.sniff import FileFormat, sniff

__all__ = [
    "BandReport",
    "CanonicalCatalog",
    "CatalogError",
    "CatalogSample",
    "ColumnMapping",
    "Coverage",
    "FileFormat",
    "Finding",
    "FindingCode",
    "IngestLimits",
    "IngestReport",
    "LabelReport",
    "NotCanonicalError",
    "QualityCut",
    "Severity",
    "TileEntry",
    "ingest",
    "inspect_table",
    "sniff",
]
