"""FITS binary tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from astropy.io import fits

from hbmlc_models.formats.errors import NotATableError, TooDemandingError, TruncatedFileError
from hbmlc_models.formats.limits import BATCH_BYTES, MAX_RECORD_BYTES, IngestLimits
from hbmlc_models.formats.readers._arrow import text_array
from hbmlc_models.formats.readers._fits_headers import check_headers
from hbmlc_models.formats.readers._table import refuse_doubles

__all__ = ["FitsTable"]

_SCALAR_CODES = frozenset("LBIJKEDA")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """How to turn the stored bytes of one column into values."""

    code: str
    """FITS type letter."""
    unit: str | None
    scale: float
    zero: float
    null: int | None


class FitsTable:
    """The first binary table of a FITS file; vector columns are left out.

    Raw records are read batch by batch: astropy's own column access converts a scaled column as a
    whole, which is not bounded.
    """

    def __init__(self, source: Path, limits: IngestLimits) -> None:
        check_headers(source)
        try:
            hdu, offset = _first_table(source)
            n_rows, width = int(hdu.header["NAXIS2"]), int(hdu.header["NAXIS1"])
            limits.check_columns(len(hdu.columns))
            limits.check_rows(n_rows)
            self._dtype: np.dtype[Any] = hdu.columns.dtype.newbyteorder(">")
            names = [str(column.name) for column in hdu.columns]
            described = [_describe(column) for column in hdu.columns]
        except (OSError, ValueError, TypeError, KeyError, fits.VerifyError) as error:
            raise TruncatedFileError(
                "The FITS headers cannot be read; write the file again."
            ) from error
        refuse_doubles(names)
        self._columns = {n: column for n, column in zip(names, described, strict=True) if column}
        _check_rows(self._dtype.itemsize, width, n_rows, offset, source.stat().st_size)
        self._limits = limits
        self._n_rows = n_rows
        self._offset = offset
        self._file = source.open("rb")

    @property
    def units(self) -> Mapping[str, str | None]:
        """Names and units of the scalar columns."""
        return {name: column.unit for name, column in self._columns.items()}

    @property
    def n_rows(self) -> int | None:
        """Number of rows in the header."""
        return self._n_rows

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches."""
        for name in columns:
            self._limits.check_cell(name, self._dtype[name].itemsize)
        size = min(size, max(1, BATCH_BYTES // self._dtype.itemsize))
        for start in range(0, self._n_rows, size):
            self._file.seek(self._offset + start * self._dtype.itemsize)
            records = np.fromfile(self._file, self._dtype, min(size, self._n_rows - start))
            arrays = [_to_arrow(records[name], self._columns[name], name) for name in columns]
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _first_table(source: Path) -> tuple[Any, int]:
    """Header unit of the first binary table and the byte at which its rows start."""
    with fits.open(source, mode="readonly", memmap=True, lazy_load_hdus=True) as hdus:
        for hdu in hdus:
            if isinstance(hdu, fits.BinTableHDU) and not hdu.header.get("ZTABLE", False):
                info: Any = hdu.fileinfo()
                return hdu, int(info["datLoc"])
    raise NotATableError(
        "The FITS file has no binary table extension (images, ASCII tables and tile-compressed "
        "tables are not read); write the catalogue with astropy.table.Table.write."
    )


def _check_rows(columns_width: int, width: int, n_rows: int, offset: int, size: int) -> None:
    """Raise where rows are not as wide as their columns, too wide, or not all there [bytes]."""
    if width != columns_width:
        raise NotATableError(
            f"The FITS columns take {columns_width:,} bytes a row and NAXIS1 says {width:,}; write "
            "the table again.",
            where="NAXIS1",
        )
    if width > MAX_RECORD_BYTES:
        raise TooDemandingError(
            f"A row of the FITS table takes {width:,} bytes, the limit is {MAX_RECORD_BYTES:,}; "
            "upload only id, position, tile, photometry, errors and redshift.",
            where="NAXIS1",
        )
    needed = offset + width * n_rows
    if size < needed:
        raise TruncatedFileError(
            f"The FITS table needs {needed:,} bytes, the file has {size:,}; upload it again in "
            "full.",
            where=f"byte {size}",
        )


def _describe(column: Any) -> _Column | None:
    """Conversion of a column, ``None`` for one with several values a row."""
    code = column.format.format
    is_scalar = code == "A" or column.format.repeat == 1
    if code not in _SCALAR_CODES or not is_scalar:
        return None
    return _Column(
        code=code,
        unit=column.unit,
        scale=float(column.bscale or 1.0) if column.bscale not in ("", None) else 1.0,
        zero=float(column.bzero) if column.bzero not in ("", None) else 0.0,
        null=int(column.null) if column.null not in ("", None) else None,
    )


def _to_arrow(stored: npt.NDArray[Any], column: _Column, name: str) -> pa.Array:
    """Arrow values of the stored bytes of one column."""
    if column.code == "A":
        return text_array(stored, name)
    if column.code == "L":
        return pa.array(stored.astype("i1") == ord("T"))
    native = stored.astype(stored.dtype.newbyteorder("="))
    mask = None if column.null is None else native == column.null
    if column.scale == 1.0 and column.zero:
        # Unsigned integers are stored with an offset of half their range; exact in integers.
        if column.zero == 2.0**63:
            return pa.array((native.view("u8") ^ np.uint64(2**63)), mask=mask)
        if column.zero.is_integer() and native.dtype.kind in "iu":
            return pa.array(native.astype("i8") + int(column.zero), mask=mask)
    if column.scale != 1.0 or column.zero:
        return pa.array(native * column.scale + column.zero, mask=mask)
    return pa.array(native, mask=mask)
