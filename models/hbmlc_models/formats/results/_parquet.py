"""The result table and the table of tiles as Parquet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hbmlc_models.formats.results._scratch import Scratch

__all__ = ["write_table", "write_tiles"]

_BATCH_ROWS = 65_536


def write_table(path: Path, scratch: Scratch, provenance: Mapping[str, str]) -> None:
    """Write ``photoz.parquet``, one row for each galaxy in upload order."""
    document = json.dumps(dict(provenance), sort_keys=True).encode()
    schema = _schema(scratch).with_metadata({b"hbmlc": document})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in scratch.batches(_BATCH_ROWS):
            record = np.array(scratch.records[rows])
            arrays = [scratch.id_array(rows), scratch.tile_array(rows)]
            arrays += [pa.array(record[name].copy()) for name in schema.names[2:-2]]
            z_spec = record["z_spec"].copy()
            # A table for people: without a redshift there is no value, rather than a NaN.
            arrays.append(pa.array(z_spec, mask=np.isnan(z_spec)))
            arrays.append(pa.array(record["selected"].copy()))
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _schema(scratch: Scratch) -> pa.Schema:
    """Columns of the table, each with its UCD and meaning."""
    one = slice(0, 1)
    fields = [
        pa.field("id", scratch.id_array(one).type),
        pa.field("tile", scratch.tile_array(one).type),
    ]
    for column in scratch.columns:
        kind = pa.int32() if column.dtype == "i4" else pa.float32()
        about = {"ucd": column.ucd, "description": column.meaning}
        fields.append(pa.field(column.name, kind, metadata=about))
    return pa.schema([*fields, pa.field("z_spec", pa.float32()), pa.field("selected", pa.bool_())])


def write_tiles(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write ``tiles.parquet``, one row for each tile; a key that a row lacks is null there."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: [row.get(name) for row in rows] for name in names})
    pq.write_table(table, path, compression="zstd")
