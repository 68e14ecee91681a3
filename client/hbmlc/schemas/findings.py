"""What was understood of an upload: its photometry, its labels, and what is worth a look."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, JsonValue

from hbmlc.schemas.base import Answer

__all__ = ["BandReport", "Finding", "LabelReport", "Severity", "UnitSource", "column_of"]


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """The catalogue is refused for it."""
    WARNING = "warning"
    """The result depends on whether this is as meant."""
    NOTE = "note"
    """A choice that was made."""


class UnitSource(StrEnum):
    """Where the unit of a column is known from."""

    FILE = "file"
    MAPPING = "mapping"
    ASSUMED = "assumed"


class Finding(Answer):
    """One remark about an upload."""

    severity: Severity
    code: str
    """Stable name; ``docs/problems.md`` explains each."""
    message: str
    """What was found and what to do."""
    column: str | None = None
    """Column that it is about."""
    mapping: dict[str, JsonValue] | None = None
    """Piece of mapping that mends it, ready to be merged into the one that was given."""


class BandReport(Answer):
    """What was understood of the photometry in one band; magnitudes are AB, of the detected."""

    band: str
    column: str
    error_column: str
    unit: str
    """Unit in which the values were read; for magnitudes their system."""
    unit_from: UnitSource
    n_observed: int
    """Galaxies with a usable value."""
    n_detected: int
    """Those with a positive one."""
    mag_min: float | None = None
    """Brightest; ``None`` in a band where nothing is detected."""
    mag_p05: float | None = None
    mag_p50: float | None = None
    mag_p95: float | None = None
    mag_max: float | None = None
    snr_p50: float | None = None
    """Median signal-to-noise of the detected."""


class LabelReport(Answer):
    """What was understood of the spectroscopic redshifts."""

    column: str | None = None
    """Column of the redshifts; ``None`` where there is none."""
    n: int = 0
    """Labels that are used."""
    n_left_out: dict[str, int] = Field(default_factory=dict)
    """Values that are no label, by reason."""
    z_min: float | None = None
    z_p50: float | None = None
    z_max: float | None = None
    quality_column: str | None = None
    """Column of the quality that was asked for."""


def column_of(place: str | None) -> str | None:
    """Column that a fault is about; ``None`` where its place is a line or a byte of the file."""
    if place is None or place.startswith(("byte ", "line ")):
        return None
    return place
