"""Catalogues: uploaded, read and what was found in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field, JsonValue

from hbmlc.schemas.base import Answer, Name, Request
from hbmlc.schemas.findings import BandReport, Finding, LabelReport
from hbmlc.schemas.mappings import ColumnMapping
from hbmlc.schemas.problems import Problem

__all__ = ["Catalog", "CatalogReport", "CatalogRequest", "CatalogState", "Coverage", "FluxUnit"]


class CatalogState(StrEnum):
    """States of an uploaded catalogue."""

    CREATED = "CREATED"
    """Announced; the content is yet to come."""
    INGESTING = "INGESTING"
    """The content is here and is being read."""
    READY = "READY"
    """Read and validated; may be calibrated."""
    REJECTED = "REJECTED"
    """Unusable; ``problem`` says why."""


class FluxUnit(StrEnum):
    """Names of the units that fluxes mostly have; a mapping may say any other flux density."""

    MAGGY = "maggy"
    NANOMAGGY = "nanomaggy"
    JANSKY = "Jy"
    MICROJANSKY = "uJy"
    NANOJANSKY = "nJy"


class CatalogRequest(Request):
    """Announces a catalogue whose content follows with ``PUT /v1/catalogs/{id}/content``."""

    name: Name
    mapping: ColumnMapping | None = None


class Coverage(Answer):
    """Part of the sky that a catalogue covers [degrees]; ``None`` without positions."""

    ra_min: float | None = None
    ra_max: float | None = None
    dec_min: float | None = None
    dec_max: float | None = None
    n_tiles: int = 0


class CatalogReport(Answer):
    """What was understood of an upload."""

    format: str | None = None
    mapping_used: dict[str, JsonValue] | None = None
    """The columns that were used, what was guessed among them."""
    n_rows: int | None = None
    n_labelled: int | None = None
    bands: list[str] = Field(default_factory=list[str])
    photometry: list[BandReport] = Field(default_factory=list[BandReport])
    """What was understood of each band, in order of wavelength."""
    labels: LabelReport | None = None
    """What was understood of the redshifts."""
    findings: list[Finding] = Field(default_factory=list[Finding])
    """What is worth a look, the gravest first; of a REJECTED catalogue what refuses it."""
    rejected: dict[str, int] = Field(default_factory=dict)
    """Rows or values refused, by reason."""
    warnings: list[str] = Field(default_factory=list[str])
    """Messages of the findings that are warnings."""
    coverage: Coverage | None = None


class _Upload(Answer):
    """What is known of an upload before it is read."""

    id: UUID
    name: str
    state: CatalogState
    created_at: datetime
    updated_at: datetime
    size_bytes: int | None = None
    content_digest: str | None = None
    """Hexadecimal sha256 of the uploaded bytes."""
    digest: str | None = None
    """Hexadecimal sha256 of the canonical form; a calibration pins it."""


class Catalog(CatalogReport, _Upload):
    """An uploaded catalogue and what was found in it."""

    mapping: ColumnMapping | None = None
    """The mapping asked for, or ``None`` where it is left to guess."""
    recommended_model: str | None = None
    """Model that ``auto`` would take."""
    progress: float | None = None
    """Fraction of the ingest that is done, while INGESTING."""
    problem: Problem | None = None
