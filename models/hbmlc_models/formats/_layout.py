"""Layout of the canonical file, shared by the one who writes and the one who reads."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from hbmlc_models.formats._ids import ValueType

__all__ = ["METADATA_KEY", "ROW_GROUP_ROWS", "VERSION", "TileEntry", "canonical_schema"]

METADATA_KEY = b"hbmlc"
"""Key of the JSON document in the metadata of the Parquet schema."""
VERSION = 1
"""Version of the layout."""
ROW_GROUP_ROWS = 65_536
"""Most rows of a row group; a row group never crosses a tile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileEntry:
    """One tile of a canonical catalogue."""

    name: str
    """Name of the tile."""
    index: int
    """Position among the tiles."""
    n_galaxies: int
    """Galaxies in it."""
    n_labelled: int
    """Those that are selected and have a spectroscopic redshift."""
    row_groups: tuple[int, int]
    """First row group and the one after the last."""


def canonical_schema(
    *,
    bands: tuple[str, ...],
    extras: tuple[str, ...],
    types: tuple[ValueType, ValueType],
    has_positions: bool,
) -> pa.Schema:
    """Columns of the canonical file; ``types`` are those of ids and of tiles."""
    value = {ValueType.INTEGER: pa.int64(), ValueType.TEXT: pa.string()}
    fields = [("row", pa.int64()), ("id", value[types[0]]), ("tile", value[types[1]])]
    if has_positions:
        fields += [("ra", pa.float64()), ("dec", pa.float64())]
    fields += [(f"flux_{band}", pa.float32()) for band in bands]
    fields += [(f"flux_err_{band}", pa.float32()) for band in bands]
    fields += [(f"detected_{band}", pa.bool_()) for band in bands]
    fields += [("z_spec", pa.float32()), ("selected", pa.bool_())]
    # A prefix keeps the extras apart from the columns above, whatever the caller calls them.
    fields += [(f"extra_{extra}", pa.float32()) for extra in extras]
    return pa.schema(fields)
