"""Division of a catalogue into tiles: the caller's own, else HEALPix cells, else one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.formats._columns import integers, is_text, labels, plain
from hbmlc_models.formats._compute import pc
from hbmlc_models.formats._ids import ValueType, reads_as_integers
from hbmlc_models.formats.errors import MappingInvalidError
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.shown import shown

__all__ = ["UNASSIGNED", "TileColumn", "Tiling", "healpix_tiling", "single_tiling"]

UNASSIGNED = "unassigned"
"""Name of the tile of galaxies without a tile or a position."""
_MAX_NSIDE = 1024
"""Finest cells: 3.4 arcmin across."""


_BLOCK_ROWS = 262_144
"""Positions that are turned into cells at a time: each takes five copies on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiling:
    """Tile of every galaxy."""

    kind: str
    """``column``, ``healpix`` or ``single``."""
    code: IntArray
    """Index of the tile of each row, ``(n_rows,)``, into ``values``."""
    values: tuple[int | str | None, ...]
    """What the tile is called in the upload, ascending; ``None`` stands last, for "unassigned"."""
    value_type: ValueType
    """Type of the values."""
    nside: int | None = None
    """HEALPix resolution (nested order), where cells were made."""

    @property
    def names(self) -> tuple[str, ...]:
        """Tile names as text."""
        return tuple(UNASSIGNED if value is None else str(value) for value in self.values)


@dataclass(slots=True)
class TileColumn:
    """The caller's tile column, seen batch by batch."""

    column: str
    is_untyped: bool
    limits: IngestLimits
    _codes: list[IntArray] = field(default_factory=list[IntArray])
    _known: dict[int | str | None, int] = field(default_factory=dict[int | str | None, int])
    _n_rows: int = 0

    def add(self, values: pa.Array) -> None:
        """See the tiles of one batch."""
        values = plain(values, self.column)
        if is_text(values.type):
            held = labels(
                values, self.column, max_bytes=self.limits.max_id_bytes, start=self._n_rows
            )
        else:
            held = integers(values, self.column, start=self._n_rows)
        self._n_rows += len(held)
        encoded = pc.dictionary_encode(held, null_encoding="encode")
        codes = [self._code(value) for value in encoded.dictionary.to_pylist()]
        lookup = np.array(codes, dtype=np.int64)
        self._codes.append(lookup[encoded.indices.to_numpy(zero_copy_only=False)])

    def tiling(self) -> Tiling:
        """Tiling of all rows seen."""
        keys = [key for key in self._known if key is not None]
        value_type = ValueType.INTEGER
        if keys and isinstance(keys[0], str):
            is_integer = self.is_untyped and reads_as_integers(pa.array(keys, pa.string()))
            value_type = ValueType.INTEGER if is_integer else ValueType.TEXT
        as_value = int if value_type is ValueType.INTEGER else str
        ordered = sorted(keys, key=as_value)
        place: dict[int | str | None, int] = {key: k for k, key in enumerate(ordered)}
        values: list[int | str | None] = [as_value(key) for key in ordered]
        if None in self._known:
            place[None] = len(values)
            values.append(None)
        lookup = np.array([place[key] for key in self._known], dtype=np.int64)
        codes = np.concatenate(self._codes) if self._codes else np.zeros(0, np.int64)
        return Tiling(
            kind="column", code=lookup[codes], values=tuple(values), value_type=value_type
        )

    def _code(self, value: int | str | None) -> int:
        """Number of ``value`` in order of first appearance."""
        code = self._known.setdefault(value, len(self._known))
        if code >= self.limits.max_tiles:
            raise MappingInvalidError(
                f"The tile column {shown(self.column)} has more than {self.limits.max_tiles:,} "
                "values; map another column.",
                where=self.column,
            )
        return code


def single_tiling(n_rows: int) -> Tiling:
    """One tile with every galaxy."""
    code = np.zeros(n_rows, dtype=np.int64)
    return Tiling(kind="single", code=code, values=(0,), value_type=ValueType.INTEGER)


def healpix_tiling(ra: FloatArray, dec: FloatArray, *, mean_galaxies: int) -> Tiling:
    """Finest HEALPix cells that hold ``mean_galaxies`` on average; positions [deg], ``(n,)``.

    Cells are numbered in nested order, in which the parent of a cell is its number divided by four.
    """
    # A fifth of a second, which catalogues with tiles of their own need not wait for.
    import astropy.units as u
    from astropy_healpix import lonlat_to_healpix

    is_placed = np.isfinite(ra) & np.isfinite(dec)
    cell = np.empty(int(is_placed.sum()), dtype=np.int64)
    done = 0
    for start in range(0, len(ra), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        lon, lat = ra[rows][is_placed[rows]] * u.deg, dec[rows][is_placed[rows]] * u.deg
        cell[done : done + len(lon)] = lonlat_to_healpix(lon, lat, _MAX_NSIDE, order="nested")
        done += len(lon)
    nside = _MAX_NSIDE
    while nside > 1 and len(cell) < mean_galaxies * len(np.unique(cell)):
        nside //= 2
        cell //= 4
    cells, codes = np.unique(cell, return_inverse=True)
    code = np.full(len(ra), len(cells), dtype=np.int64)
    code[is_placed] = codes
    values: list[int | str | None] = [int(number) for number in cells]
    if not is_placed.all():
        values.append(None)
    return Tiling(
        kind="healpix",
        code=code,
        values=tuple(values),
        value_type=ValueType.INTEGER,
        nside=nside,
    )
