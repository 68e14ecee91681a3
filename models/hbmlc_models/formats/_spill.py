"""Second pass over an upload: rows scattered into memory maps in the order of their tiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hbmlc_models.arrays import BoolArray, FloatArray, IntArray
from hbmlc_models.formats._columns import integers, is_text, numbers, plain, texts
from hbmlc_models.formats._ids import ValueType, id_array
from hbmlc_models.formats._scan import Scan
from hbmlc_models.formats._scratch_arrays import ScratchArrays
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.normalise import (
    Fluxes,
    errors_from_ivars,
    fluxes_from_fluxes,
    fluxes_from_mags,
)
from hbmlc_models.formats.readers import SourceTable
from hbmlc_models.formats.recognise import BandSource, Quantity

__all__ = ["Spill"]

_FLOAT32_MAX = float(np.finfo(np.float32).max)


class Spill:
    """Columns of a catalogue on scratch disk, sorted by tile and, within, by upload order."""

    def __init__(self, scan: Scan, sources: tuple[BandSource, ...], scratch: Path) -> None:
        self.scan = scan
        self.sources = sources
        self.extras = tuple(sorted(scan.mapping.extras))
        self.order: IntArray = np.argsort(scan.tiling.code, kind="stable")
        """Upload position of each sorted row."""
        self._place: IntArray = np.empty_like(self.order)
        self._place[self.order] = np.arange(scan.n_rows)
        n, n_bands = scan.n_rows, len(sources)
        self._kept = list(range(n_bands))
        id_dtype = "i8" if scan.id_type is ValueType.INTEGER else f"S{scan.id_width}"
        self._arrays = ScratchArrays(scratch)
        self.ids = self._arrays.create("ids", id_dtype, (n,))
        self._flux = self._arrays.create("flux", "f4", (n, n_bands))
        self._flux_err = self._arrays.create("flux_err", "f4", (n, n_bands))
        self._is_detected = self._arrays.create("detected", "?", (n, n_bands))
        self.extra = self._arrays.create("extra", "f4", (n, max(1, len(self.extras))))
        self.counts: Counter[str] = Counter(scan.counts)

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands in order of wavelength."""
        return tuple(source.band for source in self.sources)

    def drop(self, bands: Collection[str]) -> None:
        """Forget bands."""
        kept = [k for k, source in enumerate(self.sources) if source.band not in bands]
        self.sources = tuple(self.sources[k] for k in kept)
        self._kept = [self._kept[k] for k in kept]

    @property
    def edges(self) -> IntArray:
        """Sorted rows at which tiles begin and end, ``(n_tiles + 1,)``."""
        n_tiles = len(self.scan.tiling.values)
        return np.searchsorted(self.scan.tiling.code[self.order], np.arange(n_tiles + 1))

    def fill(
        self, table: SourceTable, limits: IngestLimits, *, on_rows: Callable[[int], None]
    ) -> None:
        """Read all columns and put each row at its place."""
        mapping, start = self.scan.mapping, 0
        wanted = _wanted(mapping)
        for batch in table.batches(wanted, size=limits.batch_rows):
            place = self._place[start : start + batch.num_rows]
            ids = id_array(batch, mapping.id_columns, start=start)
            self.ids[place] = _id_values(ids, " + ".join(mapping.id_columns), self.scan.id_type)
            for k, source in enumerate(self.sources):
                flux, flux_err, is_detected = _photometry(source, batch, start, self.counts)
                self._flux[place, k] = flux
                self._flux_err[place, k] = flux_err
                self._is_detected[place, k] = is_detected
            for k, extra in enumerate(self.extras):
                column = mapping.extras[extra]
                values = numbers(batch[column], column, start=start)
                self.extra[place, k] = np.where(np.abs(values) < _FLOAT32_MAX, values, np.nan)
            start += batch.num_rows
            on_rows(batch.num_rows)
            self.release()

    def photometry(self, rows: slice) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Flux, error [maggies] and detection of sorted rows, ``(n, n_bands)`` each."""
        parts = (self._flux, self._flux_err, self._is_detected)
        if len(self._kept) == self._flux.shape[1]:
            return parts[0][rows], parts[1][rows], parts[2][rows]
        return (
            parts[0][rows][:, self._kept],
            parts[1][rows][:, self._kept],
            parts[2][rows][:, self._kept],
        )

    def release(self) -> None:
        """Give back the memory of what was read or written so far."""
        self._arrays.release()

    def depth(self, rows: slice) -> FloatArray | None:
        """Depth [5-sigma AB mag] of sorted rows, ``(n, n_bands)``; ``None`` without columns."""
        columns = [f"depth_{band}" for band in self.bands]
        if not any(column in self.extras for column in columns):
            return None
        depth = np.full((rows.stop - rows.start, len(self.bands)), np.nan)
        for k, column in enumerate(columns):
            if column in self.extras:
                depth[:, k] = self.extra[rows, self.extras.index(column)]
        return depth


def _photometry(
    source: BandSource, batch: pa.RecordBatch, start: int, counts: Counter[str]
) -> Fluxes:
    """Flux, error [maggies] and detection of one band in one batch, ``(n,)`` each."""
    values, errors = (
        numbers(batch[name], name, start=start) for name in (source.column, source.error_column)
    )
    if source.quantity is Quantity.MAG:
        return fluxes_from_mags(
            values,
            errors,
            counts,
            offset=source.offset,
            scale=source.scale,
            error_scale=source.error_scale,
        )
    if source.is_ivar:
        values, errors = errors_from_ivars(values, errors)
    return fluxes_from_fluxes(
        values, errors, counts, scale=source.scale, error_scale=source.error_scale
    )


def _wanted(mapping: ColumnMapping) -> list[str]:
    """Columns of the second pass."""
    several = (
        mapping.mag,
        mapping.mag_err,
        mapping.flux,
        mapping.flux_err,
        mapping.flux_ivar,
        mapping.extras,
    )
    names = [*mapping.id_columns, *(name for columns in several for name in columns.values())]
    return list(dict.fromkeys(names))


def _id_values(column: pa.Array, name: str, value_type: ValueType) -> npt.NDArray[Any]:
    """Ids of one batch as integers or as UTF-8 bytes."""
    column = plain(column, name)
    if is_text(column.type):
        column = texts(column, name)
    if value_type is ValueType.INTEGER:
        return np.asarray(integers(column, name).to_numpy(zero_copy_only=False), dtype=np.int64)
    return np.array([text.encode() for text in column.to_pylist()])
