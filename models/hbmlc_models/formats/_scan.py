"""First pass over an upload: ids, tiles, positions and labels; everything that orders the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.formats._columns import booleans, numbers
from hbmlc_models.formats._ids import IdCheck, ValueType
from hbmlc_models.formats.errors import (
    AllSelectedError,
    EmptyFileError,
    MissingIdsError,
    PositionOutOfRangeError,
    SpecZOutOfRangeError,
    TooFewGalaxiesError,
)
from hbmlc_models.formats.guess import Guess
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.normalise import positions, spec_z
from hbmlc_models.formats.readers import SourceTable
from hbmlc_models.formats.shown import listed, shown
from hbmlc_models.formats.tiling import TileColumn, Tiling, healpix_tiling, single_tiling

__all__ = ["Scan", "scan"]

_Value = TypeVar("_Value", bound=np.generic)

_MIN_GUESSED_TILE = 2
"""A guessed tile column with fewer galaxies a tile on average is something else."""


@dataclass(slots=True)
class _Columns:
    """Per-row values gathered batch by batch."""

    ra: list[FloatArray] = field(default_factory=list[FloatArray])
    dec: list[FloatArray] = field(default_factory=list[FloatArray])
    z_spec: list[FloatArray] = field(default_factory=list[FloatArray])
    selected: list[BoolArray] = field(default_factory=list[BoolArray])
    n_rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What the first pass found; per-row arrays are ``(n_rows,)`` in upload order."""

    n_rows: int
    id_type: ValueType
    id_width: int
    tiling: Tiling
    ra: FloatArray | None
    dec: FloatArray | None
    z_spec: FloatArray
    selected: BoolArray
    mapping: ColumnMapping
    """The mapping without a tile column that turned out to be none."""
    counts: Counter[str]
    warnings: list[str]


def scan(
    table: SourceTable,
    guess: Guess,
    limits: IngestLimits,
    *,
    is_untyped: bool,
    on_rows: Callable[[int], None],
) -> Scan:
    """Read what orders the rows; memory grows by some 30 bytes a row."""
    mapping = guess.mapping
    if mapping.id is None:
        raise MissingIdsError(
            f"None of {len(table.units)} columns is an id (first: {listed(table.units, 5)}); call "
            "one 'id' or map it."
        )
    names = (mapping.id, mapping.tile, mapping.ra, mapping.dec, mapping.z_spec, mapping.selected)
    wanted = list(dict.fromkeys(name for name in names if name is not None))
    ids = IdCheck(mapping.id, is_untyped=is_untyped, max_bytes=limits.max_id_bytes)
    tiles = None
    if mapping.tile is not None:
        tiles = TileColumn(mapping.tile, is_untyped, limits)
    columns, counts = _Columns(), Counter[str]()
    for batch in table.batches(wanted, size=limits.batch_rows):
        ids.add(batch[mapping.id])
        if tiles is not None:
            tiles.add(batch[tiles.column])
        _gather(batch, mapping, columns, counts, z_max=limits.z_max)
        limits.check_rows(columns.n_rows)
        on_rows(batch.num_rows)
    _check_size(columns.n_rows)
    ids.check(_column(table, mapping.id, limits))
    return _finish(columns, ids, tiles, guess, counts, limits)


def _column(table: SourceTable, name: str, limits: IngestLimits) -> Iterator[pa.Array]:
    """One column, batch by batch."""
    for batch in table.batches([name], size=limits.batch_rows):
        yield batch[name]


def _gather(
    batch: pa.RecordBatch,
    mapping: ColumnMapping,
    columns: _Columns,
    counts: Counter[str],
    *,
    z_max: float,
) -> None:
    """Keep the values of one batch."""
    n, start = batch.num_rows, columns.n_rows
    columns.n_rows += n
    if mapping.ra is not None and mapping.dec is not None:
        ra = numbers(batch[mapping.ra], mapping.ra, start=start)
        dec = numbers(batch[mapping.dec], mapping.dec, start=start)
        ra, dec = positions(ra, dec, counts)
        columns.ra.append(ra)
        columns.dec.append(dec)
    z = np.full(n, np.nan)
    if mapping.z_spec is not None:
        values = numbers(batch[mapping.z_spec], mapping.z_spec, start=start)
        z = spec_z(values, counts, z_max=z_max)
    columns.z_spec.append(z.astype(np.float32))
    if mapping.selected is not None:
        columns.selected.append(booleans(batch[mapping.selected], mapping.selected, start=start))
    else:
        columns.selected.append(np.isfinite(z))


def _check_size(n_rows: int) -> None:
    """Raise where there are too few rows."""
    if n_rows == 0:
        raise EmptyFileError("The table has no rows; upload one row for each galaxy.")
    if n_rows == 1:
        raise TooFewGalaxiesError("The table has one galaxy; a calibration compares many.")


def _finish(
    columns: _Columns,
    ids: IdCheck,
    tiles: TileColumn | None,
    guess: Guess,
    counts: Counter[str],
    limits: IngestLimits,
) -> Scan:
    """Check what can only be judged as a whole, and divide the rows into tiles."""
    z_spec, selected = _joined(columns.z_spec), _joined(columns.selected)
    ra = _joined(columns.ra) if columns.ra else None
    dec = _joined(columns.dec) if columns.dec else None
    _check_labels(z_spec, selected, counts)
    if ra is not None and not np.isfinite(ra).any() and counts["position_out_of_range"]:
        raise PositionOutOfRangeError(
            "No galaxy has a usable position; right ascension is -180…360 and declination -90…90, "
            "both in degrees."
        )
    mapping, warnings = guess.mapping, list(guess.warnings)
    tiling = tiles.tiling() if tiles is not None else None
    most_tiles = max(1, columns.n_rows / _MIN_GUESSED_TILE)
    if tiling is not None and guess.is_tile_guessed and len(tiling.values) > most_tiles:
        warnings.append(
            f"column {shown(mapping.tile or '')} has too many values to be a tile; not used"
        )
        tiling, mapping = None, mapping.without_tile()
    if tiling is None and ra is not None and dec is not None and np.isfinite(ra).any():
        tiling = healpix_tiling(ra, dec, mean_galaxies=limits.mean_tile_galaxies)
    tiling = tiling or single_tiling(columns.n_rows)
    if tiling.values[-1] is None:
        counts["missing_tile"] += int(np.sum(tiling.code == len(tiling.values) - 1))
    if not selected.any():
        warnings.append("no galaxy is selected: only the Bayesian part can serve")
    return Scan(
        n_rows=columns.n_rows,
        id_type=ids.value_type,
        id_width=ids.width,
        tiling=tiling,
        ra=ra,
        dec=dec,
        z_spec=z_spec,
        selected=selected,
        mapping=mapping,
        counts=counts,
        warnings=warnings,
    )


def _joined(parts: list[npt.NDArray[_Value]]) -> npt.NDArray[_Value]:
    """One array of all parts, which are forgotten: both at once would take twice the memory."""
    joined = np.concatenate(parts)
    parts.clear()
    return joined


def _check_labels(z_spec: FloatArray, selected: BoolArray, counts: Counter[str]) -> None:
    """Raise where labels are unusable as a whole."""
    if counts["z_spec_out_of_range"] and not np.isfinite(z_spec).any():
        raise SpecZOutOfRangeError(
            f"All {counts['z_spec_out_of_range']:,} spectroscopic redshifts are negative or "
            "impossibly large; map the right column."
        )
    if selected.all():
        raise AllSelectedError(
            "Every galaxy is selected, so nothing is left to calibrate; add the galaxies without "
            "a spectrum, or mark them in a column 'selected'."
        )
