"""Results in upload order on scratch disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.formats._ids import ValueType
from hbmlc_models.formats._scratch_arrays import ScratchArrays
from hbmlc_models.formats.canonical import CanonicalCatalog
from hbmlc_models.formats.results.columns import ResultColumn
from hbmlc_models.tile import Tile

__all__ = ["Scratch"]


@dataclass(frozen=True, slots=True)
class Scratch:
    """Memory maps of everything that the files hold, one row for each galaxy of the upload."""

    catalog: CanonicalCatalog
    columns: tuple[ResultColumn, ...]
    arrays: ScratchArrays
    """Owner of the next three."""
    density: npt.NDArray[np.float32]
    """p(z) on the grid, or quantiles, ``(n_rows, n_values)``."""
    ids: npt.NDArray[Any]
    """Ids of the upload, ``(n_rows,)``."""
    records: npt.NDArray[Any]
    """Structured: tile index, computed columns, z_spec, selected; ``(n_rows,)``."""
    is_written: BoolArray
    """Rows whose tile was put, ``(n_rows,)``."""
    tile_values: list[int | str | None]

    @classmethod
    def create(
        cls,
        directory: Path,
        catalog: CanonicalCatalog,
        *,
        columns: tuple[ResultColumn, ...],
        n_values: int,
    ) -> Scratch:
        """Allocate the maps in ``directory``."""
        n = catalog.n_rows
        fields: list[tuple[str, str]] = [("tile", "i4")]
        fields += [(column.name, column.dtype) for column in columns]
        fields += [("z_spec", "f4"), ("selected", "?")]
        id_dtype = "i8" if catalog.id_type is ValueType.INTEGER else f"S{catalog.id_width}"
        arrays = ScratchArrays(directory)
        return cls(
            catalog=catalog,
            columns=columns,
            arrays=arrays,
            density=arrays.create("density", "f4", (n, n_values)),
            ids=arrays.create("ids", id_dtype, (n,)),
            records=arrays.create("records", np.dtype(fields), (n,)),
            is_written=np.zeros(n, dtype=bool),
            tile_values=[None] * len(catalog.tiles),
        )

    def batches(self, size: int) -> Iterator[slice]:
        """Slices that cover all rows; what one touched leaves memory before the next."""
        for start in range(0, self.n_rows, size):
            yield slice(start, min(start + size, self.n_rows))
            self.arrays.release()

    def put(self, tile: Tile, columns: Mapping[str, npt.NDArray[Any]], density: FloatArray) -> None:
        """Scatter one tile to its rows."""
        rows = tile.row
        ids = self.catalog.read_ids(tile.index)
        self.tile_values[tile.index] = self.catalog.read_tile_values(tile.index)[0].as_py()
        if self.catalog.id_type is ValueType.INTEGER:
            self.ids[rows] = ids.to_numpy()
        else:
            self.ids[rows] = np.array([text.encode() for text in ids.to_pylist()])
        record = np.zeros(len(rows), self.records.dtype)
        record["tile"] = tile.index
        for column in self.columns:
            record[column.name] = columns[column.name]
        record["z_spec"], record["selected"] = tile.z_spec, tile.selected
        self.records[rows] = record
        self.density[rows] = density
        self.is_written[rows] = True
        self.arrays.release()

    @property
    def n_rows(self) -> int:
        """Galaxies of the upload."""
        return len(self.records)

    @property
    def n_written(self) -> int:
        """Galaxies whose tile was written."""
        return int(np.sum(self.is_written))

    def id_array(self, rows: slice) -> pa.Array:
        """Ids of some rows, in the type of the upload."""
        if self.catalog.id_type is ValueType.INTEGER:
            return pa.array(np.array(self.ids[rows]))
        return pa.array([text.decode() for text in self.ids[rows].tolist()], pa.string())

    def tile_array(self, rows: slice) -> pa.Array:
        """Tile values of some rows, in the type of the upload; null for "unassigned"."""
        is_integer = self.catalog.tile_type is ValueType.INTEGER
        kind = pa.int64() if is_integer else pa.string()
        values = pa.array(self.tile_values, kind)
        return values.take(pa.array(np.array(self.records["tile"][rows])))
