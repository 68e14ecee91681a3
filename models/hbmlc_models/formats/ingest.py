"""Ingest: any table that is uploaded becomes one canonical Parquet file, sorted by tile.

Three passes keep the memory bounded whatever the size: scan (what orders the rows), scatter (values
to their sorted place on scratch disk), write (tile after tile).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from hbmlc_models.bands import sort_bands
from hbmlc_models.formats._canonical_writer import write_canonical
from hbmlc_models.formats._scan import Scan, scan
from hbmlc_models.formats._spill import Spill
from hbmlc_models.formats.errors import BadErrorsError, MappingInvalidError
from hbmlc_models.formats.guess import Guess, guess_mapping
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.readers import open_table
from hbmlc_models.formats.report import Coverage, IngestReport
from hbmlc_models.formats.shown import is_printable_name, listed, shown
from hbmlc_models.formats.sniff import FileFormat, sniff

__all__ = ["ingest"]

ProgressCallback = Callable[[float], None]
"""Called with the fraction done, 0…1, never falling."""


def ingest(
    source: Path,
    destination: Path,
    *,
    mapping: ColumnMapping | None = None,
    limits: IngestLimits | None = None,
    on_progress: ProgressCallback | None = None,
) -> IngestReport:
    """Read the table at ``source`` and write its canonical form to ``destination``.

    Parameters
    ----------
    source
        Parquet, CSV, FITS, HDF5 or VOTable; recognised by content.
    destination
        Canonical Parquet file; replaced at once when complete, so it is never seen half written.
    mapping
        Columns to use; what it leaves out is guessed.
    limits
        Bounds on the upload.
    on_progress
        Told the fraction done.

    Raises
    ------
    CatalogError
        The upload cannot be used; the subclass and its ``code`` say why.
    """
    limits = limits or IngestLimits()
    file_format = sniff(source)
    size = source.stat().st_size
    with open_table(source, file_format, limits) as table:
        # Other names could neither be stored nor be shown.
        units = {name: unit for name, unit in table.units.items() if is_printable_name(name)}
        guess = guess_mapping(units, mapping)
        bands = _check_mapping(guess, units)
        if table.n_rows is not None:
            limits.check_expansion(table.n_rows * _row_bytes(guess.mapping), file_bytes=size)
        progress = _Progress(table.n_rows, on_progress)
        is_untyped = file_format is FileFormat.CSV
        found = scan(table, guess, limits, is_untyped=is_untyped, on_rows=progress.add)
        progress.expect(found.n_rows)
        partial = destination.with_name(destination.name + ".partial")
        with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".ingest-") as scratch:
            spill = Spill(found, bands, Path(scratch))
            spill.fill(table, limits, on_rows=progress.add)
            _check_photometry(spill)
            spill.counts.update(write_canonical(spill, partial, on_rows=progress.add))
    partial.replace(destination)
    return _report(found, spill, bands, file_format=file_format, digest=_digest(destination))


class _Progress:
    """Fraction of three passes over the rows."""

    def __init__(self, n_rows: int | None, callback: ProgressCallback | None) -> None:
        self._total = 3 * n_rows if n_rows else None
        self._done = 0
        self._callback = callback

    def expect(self, n_rows: int) -> None:
        """Learn the number of rows."""
        self._total = 3 * n_rows

    def add(self, n_rows: int) -> None:
        """Count rows of one pass."""
        self._done += n_rows
        if self._callback is not None and self._total:
            self._callback(min(1.0, self._done / self._total))


def _row_bytes(mapping: ColumnMapping) -> int:
    """Bytes that a row takes once it is read: a double for each column at least."""
    return 8 * len(mapping.names())


def _check_mapping(guess: Guess, units: Mapping[str, str | None]) -> tuple[str, ...]:
    """Bands with value and error; raises where columns are missing."""
    mapping = guess.mapping
    for name in mapping.names():
        if name not in units:
            raise MappingInvalidError(
                f"There is no column {shown(name)} with one value a row; there are "
                f"{listed(units, 8)}…",
                where=name,
            )
    values = mapping.mag or mapping.flux
    errors = mapping.mag_err or mapping.flux_err
    bands = sort_bands(band for band in values if band in errors)
    if not bands:
        raise BadErrorsError(
            f"None of the bands {', '.join(values)} has an error column; add the one-sigma errors "
            "(mag_err_g next to mag_g) or map them."
        )
    missing = [band for band in values if band not in bands]
    if missing:
        guess.warnings.append(f"bands without an error column are not used: {', '.join(missing)}")
    guess.mapping = _with_bands(mapping, bands)
    return bands


def _with_bands(mapping: ColumnMapping, bands: tuple[str, ...]) -> ColumnMapping:
    """Return the mapping with these bands only."""

    def only(columns: Iterable[tuple[str, str]]) -> dict[str, str]:
        return {band: column for band, column in columns if band in bands}

    return replace(
        mapping,
        mag=only(mapping.mag.items()),
        mag_err=only(mapping.mag_err.items()),
        flux=only(mapping.flux.items()),
        flux_err=only(mapping.flux_err.items()),
    )


def _check_photometry(spill: Spill) -> None:
    """Raise where the errors of the whole catalogue are unusable."""
    if spill.counts["bad_errors"] and not spill.is_detected.any():
        raise BadErrorsError(
            f"All {spill.counts['bad_errors']:,} photometric errors are missing, zero or negative; "
            "upload one-sigma errors."
        )


def _digest(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _report(
    found: Scan,
    spill: Spill,
    bands: tuple[str, ...],
    *,
    file_format: FileFormat,
    digest: str,
) -> IngestReport:
    """Sum up."""
    has_sky = found.ra is not None and bool(np.isfinite(found.ra).any())
    sky = [found.ra, found.dec] if has_sky else [None, None]
    low = [None if axis is None else float(np.nanmin(axis)) for axis in sky]
    high = [None if axis is None else float(np.nanmax(axis)) for axis in sky]
    return IngestReport(
        n_rows=found.n_rows,
        n_labelled=int(np.sum(found.selected & np.isfinite(found.z_spec))),
        bands=bands,
        mapping=found.mapping,
        format=file_format,
        rejected={reason: count for reason, count in sorted(spill.counts.items()) if count},
        warnings=tuple(found.warnings),
        coverage=Coverage(
            ra_min=low[0],
            ra_max=high[0],
            dec_min=low[1],
            dec_max=high[1],
            n_tiles=len(found.tiling.values),
        ),
        digest=digest,
    )
