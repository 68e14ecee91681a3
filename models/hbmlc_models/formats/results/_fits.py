"""The result table and the densities as FITS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from hbmlc_models.arrays import FloatArray
from hbmlc_models.formats._ids import ValueType
from hbmlc_models.formats.results._compact import PROBABILITIES
from hbmlc_models.formats.results._scratch import Scratch
from hbmlc_models.formats.results.columns import describe

__all__ = ["write_fits"]

_BLOCK = 2880
"""FITS files consist of blocks of so many bytes."""
_BATCH_ROWS = 65_536
_LONG = 30
_NO_TILE = -(2**63)
"""TNULL of an integer tile."""
_CARDS = {
    "model": ("HBMODEL", "model name and version"),
    "model_digest": ("HBDIGEST", "sha256 of the model version"),
    "seed": ("HBSEED", "seed of the calibration"),
    "catalog_digest": ("HBCATLOG", "sha256 of the canonical catalogue"),
    "version": ("HBVERS", "version of hbmlc"),
    "preset": ("HBPRESET", "preset of the calibration"),
    "calibration": ("HBJOB", "identifier of the calibration"),
}
"""Provenance key to header keyword and comment."""
_CODES = {"f4": "E", "i4": "J"}


def write_fits(
    path: Path,
    scratch: Scratch,
    z_grid: FloatArray,
    *,
    provenance: Mapping[str, str],
    is_compact: bool,
) -> None:
    """Write ``photoz.fits``: PHOTOZ (the table), PDF (densities or quantiles), ZGRID (nodes)."""
    n = scratch.n_rows
    with path.open("wb") as file:
        primary = fits.PrimaryHDU()
        for key, (keyword, comment) in _CARDS.items():
            if key in provenance:
                # A card has 80 characters; a digest leaves no room for a comment.
                text = provenance[key][:68]
                primary.header[keyword] = text if len(text) > _LONG else (text, comment)
        file.write(primary.header.tostring().encode("ascii"))
        table = _table_columns(scratch)
        _write_extension(file, "PHOTOZ", table, n, _table_rows(scratch), cards=primary.header)
        density = _density_columns(scratch, is_compact=is_compact)
        _write_extension(file, "PDF", density, n, _density_rows(scratch))
        nodes = np.asarray(PROBABILITIES if is_compact else z_grid, dtype=">f8")
        name = "probability" if is_compact else "z"
        grid = [fits.Column(name=name, format="D")]
        _write_extension(file, "ZGRID", grid, len(nodes), iter([nodes]))


def _write_extension(
    file: BinaryIO,
    name: str,
    columns: list[fits.Column],
    n_rows: int,
    parts: Iterator[npt.NDArray[Any]],
    cards: fits.Header | None = None,
) -> None:
    """Write one binary table from parts of its rows, so that it is never held as a whole."""
    header = fits.BinTableHDU.from_columns(columns, nrows=0, name=name).header
    header["NAXIS2"] = n_rows
    cards = cards or fits.Header()
    for keyword in cards:
        if keyword.startswith("HB"):
            header[keyword] = (cards[keyword], cards.comments[keyword])
    for number, column in enumerate(columns, start=1):
        ucd = _UCDS.get(str(column.name)) or describe(str(column.name)).ucd
        if ucd:
            header[f"TUCD{number}"] = (ucd, "unified content descriptor")
    file.write(header.tostring().encode("ascii"))
    size = 0
    for part in parts:
        content = part.tobytes()
        size += len(content)
        file.write(content)
    file.write(b"\0" * (-size % _BLOCK))


_UCDS = {
    "id": "meta.id;meta.main",
    "tile": "meta.id.part",
    "z_spec": "src.redshift",
    "selected": "meta.code",
    "pdf": "stat.probability;src.redshift.phot",
    "quantiles": "stat.value;src.redshift.phot",
    "z": "src.redshift",
}


def _identity_columns(scratch: Scratch) -> list[fits.Column]:
    """Column with the ids."""
    is_integer = scratch.catalog.id_type is ValueType.INTEGER
    code = "K" if is_integer else f"{scratch.ids.dtype.itemsize}A"
    return [fits.Column(name="id", format=code)]


def _table_columns(scratch: Scratch) -> list[fits.Column]:
    """Columns of the PHOTOZ extension."""
    if scratch.catalog.tile_type is ValueType.INTEGER:
        tile = fits.Column(name="tile", format="K", null=_NO_TILE)
    else:
        tile = fits.Column(name="tile", format=f"{_tile_width(scratch)}A")
    computed = [
        fits.Column(name=column.name, format=_CODES[column.dtype], unit=None)
        for column in scratch.columns
    ]
    labels = [fits.Column(name="z_spec", format="E"), fits.Column(name="selected", format="L")]
    return [*_identity_columns(scratch), tile, *computed, *labels]


def _tile_width(scratch: Scratch) -> int:
    """Bytes of the longest tile name."""
    return max(1, *(len(str(value or "").encode()) for value in scratch.tile_values), 1)


def _table_rows(scratch: Scratch) -> Iterator[npt.NDArray[Any]]:
    """Rows of the PHOTOZ extension as big-endian records."""
    is_integer = scratch.catalog.tile_type is ValueType.INTEGER
    tile_type = ">i8" if is_integer else f"S{_tile_width(scratch)}"
    names: list[Any] = [_NO_TILE if value is None else value for value in scratch.tile_values]
    if not is_integer:
        names = ["" if value is None else str(value) for value in scratch.tile_values]
        names = [name.encode() for name in names]
    values = np.array(names, dtype=tile_type)
    fields = [("id", scratch.ids.dtype.newbyteorder(">")), ("tile", np.dtype(tile_type))]
    fields += [(column.name, np.dtype(f">{column.dtype}")) for column in scratch.columns]
    fields += [("z_spec", np.dtype(">f4")), ("selected", np.dtype("S1"))]
    for rows in scratch.batches(_BATCH_ROWS):
        record = np.array(scratch.records[rows])
        out = np.zeros(len(record), fields)
        out["id"], out["tile"] = scratch.ids[rows], values[record["tile"]]
        for column in scratch.columns:
            out[column.name] = record[column.name]
        out["z_spec"] = record["z_spec"]
        out["selected"] = np.where(record["selected"], b"T", b"F")
        yield out


def _density_columns(scratch: Scratch, *, is_compact: bool) -> list[fits.Column]:
    """Columns of the PDF extension."""
    name = "quantiles" if is_compact else "pdf"
    density = fits.Column(name=name, format=f"{scratch.density.shape[1]}E")
    return [*_identity_columns(scratch), density]


def _density_rows(scratch: Scratch) -> Iterator[npt.NDArray[Any]]:
    """Rows of the PDF extension as big-endian records."""
    fields = [
        ("id", scratch.ids.dtype.newbyteorder(">")),
        ("density", ">f4", (scratch.density.shape[1],)),
    ]
    for rows in scratch.batches(_BATCH_ROWS // 8):
        out = np.zeros(rows.stop - rows.start, fields)
        out["id"], out["density"] = scratch.ids[rows], scratch.density[rows]
        yield out
