"""First pass over an upload: ids, tiles, positions and labels; everything that orders the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.formats._columns import angles, booleans, numbers
from hbmlc_models.formats._ids import IdCheck, ValueType, id_array
from hbmlc_models.formats._labelling import Gathered, find_labels
from hbmlc_models.formats._placing import divide, usable_positions
from hbmlc_models.formats._quality import passes
from hbmlc_models.formats.errors import (
    DuplicateIdsError,
    EmptyFileError,
    MappingInvalidError,
    TooFewGalaxiesError,
)
from hbmlc_models.formats.findings import Finding, FindingCode, note
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.readers import SourceTable
from hbmlc_models.formats.recognise import Recognised, companions_of
from hbmlc_models.formats.shown import shown
from hbmlc_models.formats.tiling import TileColumn, Tiling

__all__ = ["Scan", "scan"]

_Value = TypeVar("_Value", bound=np.generic)


@dataclass(slots=True)
class _Columns:
    """Per-row values gathered batch by batch."""

    ra: list[FloatArray] = field(default_factory=list[FloatArray])
    dec: list[FloatArray] = field(default_factory=list[FloatArray])
    z_spec: list[FloatArray] = field(default_factory=list[FloatArray])
    z_err: list[FloatArray] = field(default_factory=list[FloatArray])
    is_sure: list[BoolArray] = field(default_factory=list[BoolArray])
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
    """Labels; NaN where there is none."""
    selected: BoolArray
    left_out: Counter[str]
    """Redshifts that are no label, by reason."""
    mapping: ColumnMapping
    """The mapping without guessed columns that turned out to be none."""
    counts: Counter[str]
    findings: list[Finding]


def scan(
    table: SourceTable,
    found: Recognised,
    limits: IngestLimits,
    *,
    is_untyped: bool,
    on_rows: Callable[[int], None],
) -> Scan:
    """Read what orders the rows; memory grows by some 30 bytes a row."""
    mapping = found.mapping
    ids = IdCheck(
        " + ".join(mapping.id_columns) or "row number",
        is_untyped=is_untyped and len(mapping.id_columns) == 1,
        max_bytes=limits.max_id_bytes,
    )
    tiles = None if mapping.tile is None else TileColumn(mapping.tile, is_untyped, limits)
    columns, findings = _Columns(), list[Finding]()
    for batch in table.batches(_wanted(mapping), size=limits.batch_rows):
        ids.add(id_array(batch, mapping.id_columns, start=columns.n_rows))
        if tiles is not None and not _add_tiles(tiles, batch, found, findings):
            tiles, mapping = None, replace(mapping, tile=None)
        _gather(batch, mapping, columns, degrees=found.degrees)
        limits.check_rows(columns.n_rows)
        on_rows(batch.num_rows)
    _check_size(columns.n_rows)
    _check_unique(ids, table, mapping, limits)
    return _finish(columns, ids, tiles, replace(found, mapping=mapping), limits, findings)


def _check_unique(
    ids: IdCheck, table: SourceTable, mapping: ColumnMapping, limits: IngestLimits
) -> None:
    """Raise where an id is there twice, with the columns that may make it unique."""
    try:
        ids.check(_ids_again(table, mapping, limits))
    except DuplicateIdsError as error:
        (column, *others) = mapping.id_columns or ("",)
        together = [] if others else companions_of(table.columns, column)
        if together:
            raise DuplicateIdsError(
                f"{error.message} Perhaps {', '.join(together)} together are: map 'id' to them.",
                where=error.where,
                mapping={"id": list(together)},
            ) from error
        raise


def _wanted(mapping: ColumnMapping) -> list[str]:
    """Columns of the first pass; the redshift or the error where the id is the row's number."""
    quality = None if mapping.z_quality is None else mapping.z_quality.column
    names = (
        *mapping.id_columns,
        mapping.tile,
        mapping.ra,
        mapping.dec,
        mapping.z_spec,
        mapping.z_spec_err,
        quality,
        mapping.selected,
    )
    wanted = [name for name in names if name is not None] or list(mapping.names()[:1])
    return list(dict.fromkeys(wanted))


def _add_tiles(
    tiles: TileColumn, batch: pa.RecordBatch, found: Recognised, findings: list[Finding]
) -> bool:
    """See the tiles of a batch; false where a guessed column turns out to hold none."""
    try:
        tiles.add(batch[tiles.column])
    except MappingInvalidError:
        if not found.is_tile_guessed:
            raise
        findings.append(
            note(
                FindingCode.TILE_NOT_USED,
                f"The column {shown(tiles.column)} holds neither integers nor texts and is not "
                "used as tile",
                column=tiles.column,
                mapping={"tile": None},
            )
        )
        return False
    return True


def _ids_again(
    table: SourceTable, mapping: ColumnMapping, limits: IngestLimits
) -> Iterator[pa.Array]:
    """The ids, batch by batch."""
    start = 0
    if not mapping.id_columns:
        return
    for batch in table.batches(list(mapping.id_columns), size=limits.batch_rows):
        yield id_array(batch, mapping.id_columns, start=start)
        start += batch.num_rows


def _gather(
    batch: pa.RecordBatch,
    mapping: ColumnMapping,
    columns: _Columns,
    *,
    degrees: tuple[float, float],
) -> None:
    """Keep the values of one batch."""
    start = columns.n_rows
    columns.n_rows += batch.num_rows

    def values(name: str) -> FloatArray:
        return numbers(batch[name], name, start=start)

    if mapping.ra is not None and mapping.dec is not None:
        for kept, name, scale, hour in (
            (columns.ra, mapping.ra, degrees[0], 15.0),
            (columns.dec, mapping.dec, degrees[1], 1.0),
        ):
            # Texts with minutes and seconds are hours and degrees, whatever the unit.
            found = angles(batch[name], name, per_hour=hour / scale, start=start)
            kept.append(found * scale)
    if mapping.z_spec is not None:
        # Fill values beyond single precision would be infinite, which is no number either.
        with np.errstate(over="ignore"):
            columns.z_spec.append(values(mapping.z_spec).astype(np.float32))
    if mapping.z_spec_err is not None:
        columns.z_err.append(values(mapping.z_spec_err).astype(np.float32))
    if mapping.z_quality is not None:
        cut = mapping.z_quality
        columns.is_sure.append(passes(batch[cut.column], cut, start=start))
    if mapping.selected is not None:
        columns.selected.append(booleans(batch[mapping.selected], mapping.selected, start=start))


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
    found: Recognised,
    limits: IngestLimits,
    findings: list[Finding],
) -> Scan:
    """Check what can only be judged as a whole, and divide the rows into tiles."""
    n_rows, counts = columns.n_rows, Counter[str]()
    ra, dec = usable_positions(
        _joined(columns.ra), _joined(columns.dec), found.mapping, counts, findings
    )
    labels = find_labels(
        Gathered(
            n_rows=n_rows,
            z=_joined(columns.z_spec),
            z_err=_joined(columns.z_err),
            is_sure=_joined(columns.is_sure),
            selected=_joined(columns.selected),
        ),
        found,
        findings,
        z_max=limits.z_max,
    )
    tiling, mapping = divide(
        tiles,
        ra,
        dec,
        labels.mapping,
        limits,
        findings,
        n_rows=n_rows,
        is_guessed=found.is_tile_guessed,
    )
    if tiling.values[-1] is None:
        counts["missing_tile"] += int(np.sum(tiling.code == len(tiling.values) - 1))
    return Scan(
        n_rows=n_rows,
        id_type=ids.value_type,
        id_width=ids.width,
        tiling=tiling,
        ra=ra,
        dec=dec,
        z_spec=labels.z_spec,
        selected=labels.selected,
        left_out=labels.left_out,
        mapping=mapping,
        counts=counts,
        findings=findings,
    )


def _joined(parts: list[npt.NDArray[_Value]]) -> npt.NDArray[_Value] | None:
    """One array of all parts, which are forgotten: both at once would take twice the memory."""
    if not parts:
        return None
    joined = np.concatenate(parts)
    parts.clear()
    return joined
