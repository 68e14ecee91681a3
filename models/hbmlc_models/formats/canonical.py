"""A canonical catalogue: the file that ``ingest`` writes, opened for reading tile by tile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.formats._ids import ValueType
from hbmlc_models.formats._layout import METADATA_KEY, ROW_GROUP_ROWS, VERSION, TileEntry
from hbmlc_models.photometry import Photometry
from hbmlc_models.tile import Tile

__all__ = ["CanonicalCatalog", "CatalogSample", "NotCanonicalError", "TileEntry"]


class NotCanonicalError(ValueError):
    """The file was not written by ``ingest``, or by another version of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSample:
    """Random galaxies from all tiles."""

    tile: Tile
    """The galaxies as a pseudo tile called ``survey`` with index -1."""
    tile_index: IntArray
    """Index of the tile that each comes from, ``(n_galaxies,)``."""
    largest_label: float | None
    """Largest redshift among all labels of the catalogue; ``None`` without one."""


class CanonicalCatalog:
    """A canonical catalogue, open for reading; close it or use it as a context manager."""

    def __init__(self, file: pq.ParquetFile, metadata: dict[str, Any]) -> None:
        self._file = file
        self.bands: tuple[str, ...] = tuple(metadata["bands"])
        """Bands in order of wavelength."""
        self.extras: tuple[str, ...] = tuple(metadata["extras"])
        """Optional columns that are there."""
        self.n_rows: int = metadata["n_rows"]
        """Galaxies."""
        self.id_type = ValueType(metadata["id_type"])
        """Type of the ids."""
        self.id_width: int = metadata["id_width"]
        """Bytes of the longest id, where ids are text."""
        self.tile_type = ValueType(metadata["tile_type"])
        """Type of the tile values."""
        self.tiling: str = metadata["tiling"]
        """``column``, ``healpix`` or ``single``."""
        self.nside: int | None = metadata["nside"]
        """HEALPix resolution (nested order) of ``healpix`` tiles."""
        self.has_positions: bool = metadata["has_positions"]
        """Whether there are positions."""
        self.tiles: tuple[TileEntry, ...] = _entries(metadata["tiles"])
        """Tiles in order of their index."""

    @classmethod
    def open(cls, file: Path | BinaryIO) -> CanonicalCatalog:
        """Open the canonical file at a path, or an open seekable one.

        Raises
        ------
        NotCanonicalError
            The file is of another kind or version.
        """
        try:
            # Not mapped: pages of a map count as the process's own until the file is closed.
            parquet = pq.ParquetFile(file)
        except pa.ArrowInvalid as error:
            raise NotCanonicalError(f"not a Parquet file: {error}") from error
        document = (parquet.schema_arrow.metadata or {}).get(METADATA_KEY)
        if document is None:
            raise NotCanonicalError("the Parquet file was not written by ingest")
        metadata = json.loads(document)
        if metadata["version"] != VERSION:
            raise NotCanonicalError(f"canonical version {metadata['version']}, not {VERSION}")
        return cls(parquet, metadata)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def n_labelled(self) -> int:
        """Galaxies that are selected and have a spectroscopic redshift."""
        return sum(entry.n_labelled for entry in self.tiles)

    def read_tile(self, index: int) -> Tile:
        """Galaxies of the tile at ``index``, in upload order."""
        entry = self.tiles[index]
        table = self._file.read_row_groups(list(range(*entry.row_groups)))
        return _to_tile(table, self, name=entry.name, index=index)

    def read_ids(self, index: int) -> pa.Array:
        """Ids of the tile at ``index``, in the order of ``read_tile``."""
        return self._read_column(index, "id")

    def read_tile_values(self, index: int) -> pa.Array:
        """Uploaded tile value of each galaxy of the tile at ``index``; null for "unassigned"."""
        return self._read_column(index, "tile")

    def sample(
        self, n_max_labelled: int, n_max_unlabelled: int, rng: np.random.Generator
    ) -> CatalogSample:
        """Random galaxies across all tiles, at most so many with and without a label.

        Only the row groups that hold a chosen galaxy are read, one at a time.
        """
        labels = self._file.read(columns=["z_spec", "selected"])
        z_spec = _array(labels, "z_spec")
        is_labelled = _array(labels, "selected") & np.isfinite(z_spec)
        chosen = np.concatenate(
            [
                _choose(np.flatnonzero(is_labelled), n_max_labelled, rng),
                _choose(np.flatnonzero(~is_labelled), n_max_unlabelled, rng),
            ]
        )
        chosen.sort()
        edges = np.array([0, *accumulate(entry.n_galaxies for entry in self.tiles)])
        tile = _to_tile(self._take(chosen), self, name="survey", index=-1)
        return CatalogSample(
            tile=tile,
            tile_index=np.searchsorted(edges, chosen, side="right") - 1,
            largest_label=float(z_spec[is_labelled].max()) if is_labelled.any() else None,
        )

    def _read_column(self, index: int, column: str) -> pa.Array:
        groups = list(range(*self.tiles[index].row_groups))
        return self._file.read_row_groups(groups, columns=[column])[column].combine_chunks()

    def _take(self, rows: IntArray) -> pa.Table:
        """Rows at sorted positions of the file."""
        metadata = self._file.metadata
        sizes = [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)]
        starts = np.array([0, *accumulate(sizes)])
        parts = [self._file.schema_arrow.empty_table()]
        for group in range(len(sizes)):
            inside = rows[(rows >= starts[group]) & (rows < starts[group + 1])]
            if len(inside):
                parts.append(self._file.read_row_group(group).take(inside - starts[group]))
        return pa.concat_tables(parts)


def _entries(tiles: dict[str, list[Any]]) -> tuple[TileEntry, ...]:
    """Tiles with the row groups that follow from their sizes."""
    n_groups = [-(-size // ROW_GROUP_ROWS) for size in tiles["n_galaxies"]]
    ends = list(accumulate(n_groups))
    return tuple(
        TileEntry(
            name=tiles["name"][k],
            index=k,
            n_galaxies=tiles["n_galaxies"][k],
            n_labelled=tiles["n_labelled"][k],
            row_groups=(ends[k] - n_groups[k], ends[k]),
        )
        for k in range(len(ends))
    )


def _choose(rows: IntArray, n_max: int, rng: np.random.Generator) -> IntArray:
    """At most ``n_max`` of ``rows``, without repetition."""
    if len(rows) <= n_max:
        return rows
    return rng.choice(rows, size=n_max, replace=False, shuffle=False)


def _array(table: pa.Table, column: str) -> Any:
    """Column of a table as a numpy array that may be written to."""
    return np.array(table[column].to_numpy())


def _stack(table: pa.Table, columns: Sequence[str], dtype: str) -> Any:
    """Columns of a table side by side."""
    return np.stack([_array(table, column).astype(dtype) for column in columns], axis=1)


def _to_tile(table: pa.Table, catalog: CanonicalCatalog, *, name: str, index: int) -> Tile:
    """Build the science's view of canonical rows."""
    bands = catalog.bands
    sky: list[FloatArray | None] = [None, None]
    if catalog.has_positions:
        sky = [_array(table, "ra"), _array(table, "dec")]
    return Tile(
        name=name,
        index=index,
        row=_array(table, "row"),
        photometry=Photometry(
            bands=bands,
            flux=_stack(table, [f"flux_{band}" for band in bands], "f8"),
            flux_err=_stack(table, [f"flux_err_{band}" for band in bands], "f8"),
            is_detected=_stack(table, [f"detected_{band}" for band in bands], "?"),
        ),
        z_spec=_array(table, "z_spec").astype("f8"),
        selected=_array(table, "selected"),
        extras={extra: _array(table, f"extra_{extra}").astype("f8") for extra in catalog.extras},
        ra=sky[0],
        dec=sky[1],
    )
