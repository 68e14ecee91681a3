"""Ingest: any table that is uploaded becomes one canonical Parquet file, sorted by tile.

A look at the first rows tells what the columns are; then three passes keep the memory bounded
whatever the size: scan (what orders the rows), scatter (values to their sorted place on scratch
disk), write (tile after tile).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hbmlc_models.formats._canonical_writer import write_canonical
from hbmlc_models.formats._scan import Scan, scan
from hbmlc_models.formats._spill import Spill
from hbmlc_models.formats.band_reports import drop_empty, judge_bands, report_bands
from hbmlc_models.formats.errors import CatalogError
from hbmlc_models.formats.findings import Finding, Severity
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.readers import SourceTable, TableChoice, open_table
from hbmlc_models.formats.recognise import Recognised, rank_names, recognise
from hbmlc_models.formats.report import BandReport, Coverage, IngestReport, LabelReport
from hbmlc_models.formats.sniff import FileFormat, sniff

__all__ = ["ingest", "inspect_table"]

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
        Parquet, Arrow, text, FITS, HDF5 or VOTable; recognised by content.
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
    return _ingest(source, destination.parent, destination, mapping, limits, on_progress)


def inspect_table(
    source: Path,
    *,
    mapping: ColumnMapping | None = None,
    limits: IngestLimits | None = None,
    on_progress: ProgressCallback | None = None,
) -> IngestReport:
    """Say what an ingest of ``source`` would find; nothing is written but scratch files.

    Raises
    ------
    CatalogError
        The upload could not be used; the subclass and its ``code`` say why.
    """
    with tempfile.TemporaryDirectory(prefix="hbmlc-inspect-") as folder:
        return _ingest(source, Path(folder), None, mapping, limits, on_progress)


def _ingest(
    source: Path,
    folder: Path,
    destination: Path | None,
    mapping: ColumnMapping | None,
    limits: IngestLimits | None,
    on_progress: ProgressCallback | None,
) -> IngestReport:
    """Read the table, with scratch files in ``folder``; without a destination nothing is kept."""
    limits = limits or IngestLimits()
    choice = TableChoice(rank=rank_names, table=None if mapping is None else mapping.table)
    file_format = sniff(source)
    said: list[Finding] = []
    try:
        with (
            tempfile.TemporaryDirectory(dir=folder, prefix=".ingest-") as scratch,
            open_table(source, file_format, limits, choice, Path(scratch)) as table,
        ):
            said += table.findings
            found = recognise(table, mapping, limits, file_bytes=source.stat().st_size)
            said += found.findings
            n_passes = 2 if destination is None else 3
            progress = _Progress(table.n_rows, on_progress, n_passes=n_passes)
            return _passes(
                table,
                found,
                Path(scratch),
                destination,
                limits,
                progress,
                file_format=file_format,
            )
    except CatalogError as error:
        error.findings = tuple(said)
        raise


def _passes(
    table: SourceTable,
    found: Recognised,
    scratch: Path,
    destination: Path | None,
    limits: IngestLimits,
    progress: _Progress,
    *,
    file_format: FileFormat,
) -> IngestReport:
    """Scan, scatter and write a table whose columns are known."""
    is_untyped = file_format is FileFormat.CSV
    scanned = scan(table, found, limits, is_untyped=is_untyped, on_rows=progress.add)
    progress.expect(scanned.n_rows)
    spill = Spill(scanned, found.sources, scratch)
    spill.fill(table, limits, on_rows=progress.add)
    dropped = drop_empty(spill)
    bands = report_bands(spill)
    findings = [*table.findings, *found.findings, *scanned.findings, *dropped]
    findings += judge_bands(bands)
    digest = None
    if destination is not None:
        digest = _write(spill, destination, on_rows=progress.add)
    return _report(found, scanned, spill, bands, findings, file_format=file_format, digest=digest)


def _write(spill: Spill, destination: Path, *, on_rows: Callable[[int], None]) -> str:
    """Write the canonical file and give its digest."""
    partial = destination.with_name(destination.name + ".partial")
    spill.counts.update(write_canonical(spill, partial, on_rows=on_rows))
    partial.replace(destination)
    return _digest(destination)


class _Progress:
    """Fraction of all passes over the rows."""

    def __init__(
        self, n_rows: int | None, callback: ProgressCallback | None, *, n_passes: int
    ) -> None:
        self._n_passes = n_passes
        self._total = n_passes * n_rows if n_rows else None
        self._done = 0
        self._callback = callback

    def expect(self, n_rows: int) -> None:
        """Learn the number of rows."""
        self._total = self._n_passes * n_rows

    def add(self, n_rows: int) -> None:
        """Count rows of one pass."""
        self._done += n_rows
        if self._callback is not None and self._total:
            self._callback(min(1.0, self._done / self._total))


def _digest(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


_ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


def _report(
    found: Recognised,
    scanned: Scan,
    spill: Spill,
    bands: tuple[BandReport, ...],
    findings: list[Finding],
    *,
    file_format: FileFormat,
    digest: str | None,
) -> IngestReport:
    """Sum up."""
    labels = _label_report(scanned)
    rejected = spill.counts + _as_rejected(scanned)
    return IngestReport(
        n_rows=scanned.n_rows,
        n_labelled=labels.n,
        bands=spill.bands,
        mapping=found.complete(scanned.mapping, spill.sources),
        format=file_format,
        photometry=bands,
        labels=labels,
        findings=tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.severity))),
        rejected={reason: count for reason, count in sorted(rejected.items()) if count},
        coverage=_coverage(scanned),
        digest=digest,
    )


def _label_report(scanned: Scan) -> LabelReport:
    """What was understood of the labels."""
    z = scanned.z_spec[scanned.selected & np.isfinite(scanned.z_spec)]
    quality = scanned.mapping.z_quality
    low, middle, high = (float(np.quantile(z, q)) if len(z) else None for q in (0, 0.5, 1))
    return LabelReport(
        column=scanned.mapping.z_spec,
        n=len(z),
        n_left_out=dict(scanned.left_out),
        z_min=None if low is None else round(low, 5),
        z_p50=None if middle is None else round(middle, 5),
        z_max=None if high is None else round(high, 5),
        quality_column=None if quality is None else quality.column,
    )


def _as_rejected(scanned: Scan) -> Counter[str]:
    """Redshifts that are no label, under the names of the other counts."""
    return Counter({f"z_spec_{reason}": count for reason, count in scanned.left_out.items()})


def _coverage(scanned: Scan) -> Coverage:
    """Part of the sky that the galaxies lie in."""
    has_sky = scanned.ra is not None and bool(np.isfinite(scanned.ra).any())
    sky = [scanned.ra, scanned.dec] if has_sky else [None, None]
    low = [None if axis is None else float(np.nanmin(axis)) for axis in sky]
    high = [None if axis is None else float(np.nanmax(axis)) for axis in sky]
    return Coverage(
        ra_min=low[0],
        ra_max=high[0],
        dec_min=low[1],
        dec_max=high[1],
        n_tiles=len(scanned.tiling.values),
    )
