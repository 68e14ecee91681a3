"""Catalogues: uploaded, read and what was found in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints

from hbmlc.schemas.base import Answer, Name, Request
from hbmlc.schemas.problems import Problem

__all__ = ["Catalog", "CatalogRequest", "CatalogState", "ColumnMapping", "Coverage", "FluxUnit"]

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
MAX_ENTRIES = 200
"""Bands, or further columns, that a mapping names at most."""
Band = Annotated[str, StringConstraints(min_length=1, max_length=40)]


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
    """Units in which fluxes may be uploaded."""

    MAGGY = "maggy"
    NANOMAGGY = "nanomaggy"
    JANSKY = "Jy"
    MICROJANSKY = "uJy"
    NANOJANSKY = "nJy"


class ColumnMapping(Request):
    """Which column of the upload holds what; fields left out are guessed from the column names."""

    id: Column | None = None
    tile: Column | None = None
    ra: Column | None = None
    dec: Column | None = None
    z_spec: Column | None = None
    selected: Column | None = None
    mag: dict[Band, Column] = Field(default_factory=dict, max_length=MAX_ENTRIES)
    """Band name to the column of its AB magnitude."""
    mag_err: dict[Band, Column] = Field(default_factory=dict, max_length=MAX_ENTRIES)
    flux: dict[Band, Column] = Field(default_factory=dict, max_length=MAX_ENTRIES)
    """Band name to the column of its flux, in ``flux_unit``."""
    flux_err: dict[Band, Column] = Field(default_factory=dict, max_length=MAX_ENTRIES)
    flux_unit: FluxUnit | None = None
    extras: dict[Band, Column] = Field(default_factory=dict, max_length=MAX_ENTRIES)
    """``size``, ``ellipticity``, ``concentration``, ``density``, ``depth_<band>``,
    ``seeing_<band>``."""


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


class Catalog(Answer):
    """An uploaded catalogue and what was found in it."""

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
    format: str | None = None
    mapping: ColumnMapping | None = None
    """The mapping asked for, or ``None`` where it is left to guess."""
    mapping_used: dict[str, JsonValue] | None = None
    n_rows: int | None = None
    n_labelled: int | None = None
    bands: list[str] = Field(default_factory=list[str])
    rejected: dict[str, int] = Field(default_factory=dict)
    """Rows or values refused, by reason."""
    warnings: list[str] = Field(default_factory=list[str])
    coverage: Coverage | None = None
    recommended_model: str | None = None
    """Model that ``auto`` would take."""
    progress: float | None = None
    """Fraction of the ingest that is done, while INGESTING."""
    problem: Problem | None = None
