"""What an ingest found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from hbmlc_models.formats.findings import Finding, Severity
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.sniff import FileFormat

__all__ = ["BandReport", "Coverage", "IngestReport", "LabelReport", "UnitSource"]


class UnitSource(StrEnum):
    """Where the unit of a column is known from."""

    FILE = "file"
    MAPPING = "mapping"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Part of the sky that a catalogue covers [deg]; ``None`` without positions."""

    ra_min: float | None
    """Least right ascension, 0…360; a catalogue across the meridian spans it all."""
    ra_max: float | None
    """Largest right ascension."""
    dec_min: float | None
    """Least declination."""
    dec_max: float | None
    """Largest declination."""
    n_tiles: int
    """Number of tiles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandReport:
    """What was understood of the photometry in one band."""

    band: str
    """Name of the band."""
    column: str
    """Column of the values."""
    error_column: str
    """Column of the errors, or of the inverse variances."""
    unit: str
    """Unit in which the values were read; for magnitudes the system, ``AB`` or with an offset."""
    unit_from: UnitSource
    """Where that is known from."""
    n_observed: int
    """Galaxies with a usable value."""
    n_detected: int
    """Those with a positive one."""
    mag_min: float | None
    """Brightest of the detected [AB mag]; ``None`` in a band without."""
    mag_p05: float | None
    """Their 5th percentile."""
    mag_p50: float | None
    """Their median."""
    mag_p95: float | None
    """Their 95th percentile."""
    mag_max: float | None
    """Faintest of them."""
    snr_p50: float | None
    """Median signal-to-noise of the detected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelReport:
    """What was understood of the spectroscopic redshifts."""

    column: str | None
    """Column of the redshifts; ``None`` where there is none."""
    n: int
    """Labels that are used."""
    n_left_out: Mapping[str, int]
    """Values that are no label, by reason."""
    z_min: float | None
    """Least of those that are used."""
    z_p50: float | None
    """Their median."""
    z_max: float | None
    """Largest of them."""
    quality_column: str | None
    """Column of the quality that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What an ingest found; ``as_dict`` is its JSON form."""

    n_rows: int
    """Galaxies: every row of the upload."""
    n_labelled: int
    """Galaxies that are selected and have a usable spectroscopic redshift."""
    bands: tuple[str, ...]
    """Bands in order of wavelength."""
    mapping: ColumnMapping
    """Columns that were used."""
    format: FileFormat
    """Format of the upload."""
    photometry: tuple[BandReport, ...]
    """What was understood of each band, in order of wavelength."""
    labels: LabelReport
    """What was understood of the redshifts."""
    findings: tuple[Finding, ...]
    """What the caller may want to know, the gravest first."""
    rejected: Mapping[str, int]
    """Values or rows that could not be used, by reason; no row is ever dropped."""
    coverage: Coverage
    """Part of the sky."""
    digest: str | None
    """Hexadecimal sha256 of the canonical file; ``None`` where none was written."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Messages of all findings, as clients of before there were findings know them."""
        return tuple(f.message for f in self.findings if f.severity is not Severity.ERROR)

    def as_dict(self) -> dict[str, object]:
        """JSON document with the names of the fields, and ``warnings``."""
        return {
            "n_rows": self.n_rows,
            "n_labelled": self.n_labelled,
            "bands": list(self.bands),
            "mapping": self.mapping.as_dict(),
            "format": self.format.value,
            "photometry": [asdict(band) for band in self.photometry],
            "labels": asdict(self.labels),
            "findings": [finding.as_dict() for finding in self.findings],
            "warnings": list(self.warnings),
            "rejected": dict(self.rejected),
            "coverage": asdict(self.coverage),
            "digest": self.digest,
        }
