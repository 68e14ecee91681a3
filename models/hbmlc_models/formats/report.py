"""What an ingest found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.sniff import FileFormat

__all__ = ["Coverage", "IngestReport"]


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
    rejected: Mapping[str, int]
    """Values or rows that could not be used, by reason; no row is ever dropped."""
    warnings: tuple[str, ...]
    """What the caller may want to check."""
    coverage: Coverage
    """Part of the sky."""
    digest: str
    """Hexadecimal sha256 of the canonical file."""

    def as_dict(self) -> dict[str, object]:
        """JSON document with the names of the fields."""
        document = asdict(self)
        document["bands"] = list(self.bands)
        document["warnings"] = list(self.warnings)
        document["rejected"] = dict(self.rejected)
        return document
