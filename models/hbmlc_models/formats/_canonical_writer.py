"""Third pass: the sorted rows as the canonical Parquet file, a tile at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.formats._ids import ValueType
from hbmlc_models.formats._layout import METADATA_KEY, ROW_GROUP_ROWS, VERSION, canonical_schema
from hbmlc_models.formats._spill import Spill
from hbmlc_models.formats.noise_floor import estimate_floor, fill_floor

__all__ = ["write_canonical"]

_MAX_FLOOR_ROWS = 200_000
"""Galaxies of a tile that suffice to measure its sky noise."""


def write_canonical(
    spill: Spill, destination: Path, *, on_rows: Callable[[int], None]
) -> dict[str, int]:
    """Write the canonical file and return further counts of unusable rows."""
    scan, edges = spill.scan, spill.edges
    schema = canonical_schema(
        bands=spill.bands,
        extras=spill.extras,
        types=(scan.id_type, scan.tiling.value_type),
        has_positions=scan.ra is not None,
    )
    metadata = {METADATA_KEY: json.dumps(_metadata(spill, edges), sort_keys=True).encode()}
    schema = schema.with_metadata(metadata)
    n_blank = 0
    survey_floor = _survey_floor(spill)
    with pq.ParquetWriter(destination, schema, compression="zstd") as writer:
        for tile in range(len(scan.tiling.values)):
            begin, end = int(edges[tile]), int(edges[tile + 1])
            floor = _tile_floor(spill, begin, end, survey_floor)
            for start in range(begin, end, ROW_GROUP_ROWS):
                rows = slice(start, min(start + ROW_GROUP_ROWS, end))
                table, n_empty = _row_group(spill, rows, tile, floor=floor, schema=schema)
                writer.write_table(table)
                n_blank += n_empty
                on_rows(table.num_rows)
                spill.release()
    return {"no_photometry": n_blank}


def _metadata(spill: Spill, edges: IntArray) -> dict[str, object]:
    """Describe the file for its readers."""
    scan = spill.scan
    is_labelled = (scan.selected & np.isfinite(scan.z_spec))[spill.order]
    n_labelled = np.add.reduceat(is_labelled.astype(np.int64), edges[:-1])
    n_galaxies = np.diff(edges)
    return {
        "version": VERSION,
        "bands": list(spill.bands),
        "extras": list(spill.extras),
        "n_rows": scan.n_rows,
        "id_type": scan.id_type.value,
        "id_width": scan.id_width,
        "tile_type": scan.tiling.value_type.value,
        "tiling": scan.tiling.kind,
        "nside": scan.tiling.nside,
        "has_positions": scan.ra is not None,
        "tiles": {
            "name": list(scan.tiling.names),
            "n_galaxies": n_galaxies.tolist(),
            "n_labelled": n_labelled.tolist(),
        },
    }


def _survey_floor(spill: Spill) -> FloatArray:
    """Sky noise of the whole catalogue, for tiles without a detection in a band."""
    step = max(1, spill.scan.n_rows // _MAX_FLOOR_ROWS)
    return _floor_of(spill, slice(0, spill.scan.n_rows, step))


def _tile_floor(spill: Spill, begin: int, end: int, survey: FloatArray) -> FloatArray:
    """Sky noise of one tile, that of the survey where the tile cannot tell."""
    step = max(1, (end - begin) // _MAX_FLOOR_ROWS)
    floor = _floor_of(spill, slice(begin, end, step))
    return np.where(np.isfinite(floor), floor, survey)


def _floor_of(spill: Spill, rows: slice) -> FloatArray:
    """Sky noise of the sorted ``rows``."""
    return estimate_floor(*spill.photometry(rows))


def _row_group(
    spill: Spill, rows: slice, tile: int, *, floor: FloatArray, schema: pa.Schema
) -> tuple[pa.Table, int]:
    """Arrow table of some rows of one tile, and how many of them have no usable band."""
    scan, upload = spill.scan, spill.order[rows]
    stored, stored_err, is_detected = spill.photometry(rows)
    flux, flux_err = np.array(stored, dtype=np.float64), np.array(stored_err, dtype=np.float64)
    fill_floor(flux, flux_err, floor=floor, depth=spill.depth(rows))
    ids = np.asarray(spill.ids[rows])
    is_integer = scan.id_type is ValueType.INTEGER
    columns: list[pa.Array] = [
        pa.array(upload),
        pa.array(ids) if is_integer else pa.array([text.decode() for text in ids.tolist()]),
        pa.array([scan.tiling.values[tile]] * len(upload), schema.field("tile").type),
    ]
    if scan.ra is not None and scan.dec is not None:
        columns += [pa.array(scan.ra[upload]), pa.array(scan.dec[upload])]
    for values in (flux, flux_err):
        columns += [pa.array(column.astype(np.float32)) for column in values.T]
    columns += [pa.array(column) for column in is_detected.T]
    columns += [pa.array(scan.z_spec[upload]), pa.array(scan.selected[upload])]
    columns += [pa.array(np.array(spill.extra[rows, k])) for k in range(len(spill.extras))]
    n_empty = int(np.sum(~np.isfinite(flux).any(axis=1)))
    return pa.Table.from_arrays(columns, schema=schema), n_empty
