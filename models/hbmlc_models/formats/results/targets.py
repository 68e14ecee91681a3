"""The list of galaxies to observe next as Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hbmlc_models.formats._ids import ValueType
from hbmlc_models.formats.canonical import CanonicalCatalog

__all__ = ["write_targets"]

COLUMNS: Mapping[str, tuple[Any, str]] = {
    "rank": (pa.int32(), "1 is the galaxy that teaches most for its cost"),
    "mag": (pa.float32(), "AB magnitude in the reference band"),
    "z_phot": (pa.float32(), "Recommended photometric redshift"),
    "z_std": (pa.float32(), "Standard deviation of the calibrated p(z)"),
    "support": (pa.float32(), "Local density of spectroscopic support; 0 is none"),
    "p_selected": (pa.float32(), "Posterior mean of p(S=1 given F)"),
    "region": (pa.int32(), "Region of brightness and colours"),
    "place_in_region": (pa.int32(), "1 is the best of its region"),
    "deficit": (pa.float32(), "1 - support"),
    "density": (pa.float32(), "Share of the candidates that are in its region"),
    "risk": (pa.float32(), "Expected loss of z_phot under its own p(z), 0 to 1"),
    "expected_gain": (pa.float64(), "deficit x density x risk"),
    "cost": (pa.float32(), "Exposure time and overheads, in units of the latter"),
    "score": (pa.float64(), "expected_gain / cost / place_in_region"),
}
"""Columns after the identity of a galaxy: type and meaning."""


def write_targets(
    path: Path, catalog: CanonicalCatalog, targets: Mapping[str, Any], *, band: str
) -> None:
    """Write ``targets.parquet``, best first.

    ``targets`` holds ``COLUMNS`` ``(n_targets,)``, and ``tile_index`` and ``position`` that say
    which galaxy of ``catalog`` each is; nothing where there is none. ``band`` is the band of
    ``mag``, which becomes ``mag_<band>``.
    """
    arrays: dict[str, Any] = {"rank": _column("rank", targets), **_identity(catalog, targets)}
    arrays |= {name: _column(name, targets) for name in COLUMNS}
    fields: list[pa.Field] = []
    for name, values in arrays.items():
        about = {"description": COLUMNS[name][1]} if name in COLUMNS else None
        title = f"mag_{band}" if name == "mag" else name
        fields.append(pa.field(title, values.type, metadata=about))
    table = pa.Table.from_arrays(list(arrays.values()), schema=pa.schema(fields))
    pq.write_table(table, path, compression="zstd")


def _column(name: str, targets: Mapping[str, Any]) -> pa.Array:
    return pa.array(targets.get(name, np.empty(0)), COLUMNS[name][0])


def _identity(catalog: CanonicalCatalog, targets: Mapping[str, Any]) -> dict[str, pa.Array]:
    """Id, tile and position on the sky of each target, as uploaded."""
    types = {"id": _arrow(catalog.id_type), "tile": _arrow(catalog.tile_type)}
    names = ["id", "tile", *(("ra", "dec") if catalog.has_positions else ())]
    tiles = np.asarray(targets.get("tile_index", []), dtype=np.int64)
    values: dict[str, list[Any]] = {name: [None] * len(tiles) for name in names}
    for index in np.unique(tiles).tolist():
        rows = np.flatnonzero(tiles == index)
        positions = targets["position"][rows]
        found: dict[str, Any] = {
            "id": catalog.read_ids(index).take(positions).to_pylist(),
            "tile": catalog.read_tile_values(index).take(positions).to_pylist(),
        }
        if catalog.has_positions:
            tile = catalog.read_tile(index)
            found |= {"ra": _taken(tile.ra, positions), "dec": _taken(tile.dec, positions)}
        for name in names:
            for row, value in zip(rows.tolist(), found[name], strict=True):
                values[name][row] = value
    return {name: pa.array(values[name], types.get(name, pa.float64())) for name in names}


def _taken(column: Any, positions: Any) -> list[float]:
    return column[positions].tolist()


def _arrow(kind: ValueType) -> pa.DataType:
    return pa.int64() if kind is ValueType.INTEGER else pa.string()
