"""FITS tables: binary ones, and those written as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.errors import NotATableError, TooDemandingError, TruncatedFileError
from hbmlc_models.formats.findings import Finding
from hbmlc_models.formats.limits import BATCH_BYTES, MAX_RECORD_BYTES, IngestLimits
from hbmlc_models.formats.readers._arrow import text_array
from hbmlc_models.formats.readers._choice import Candidate, choose
from hbmlc_models.formats.readers._elements import split_element
from hbmlc_models.formats.readers._fits_headers import FitsUnit, table_units
from hbmlc_models.formats.readers._fits_layout import FitsColumn, layout
from hbmlc_models.formats.readers._names import distinct
from hbmlc_models.formats.readers._table import SourceColumn, TableChoice
from hbmlc_models.formats.shown import shown

__all__ = ["FitsTable"]

_UNSIGNED = 2.0**63
"""Offset with which unsigned integers of 64 bits are stored."""


class FitsTable:
    """The table of a FITS file that looks most like a catalogue.

    Raw records are read batch by batch: a library's own column access converts a scaled column as a
    whole, which is not bounded.
    """

    def __init__(self, source: Path, limits: IngestLimits, choice: TableChoice) -> None:
        unit, columns, width, self.findings = _chosen(source, limits, choice)
        self._columns, self.doubles = distinct((column.name, column) for column in columns)
        self.columns = {
            name: SourceColumn(
                unit=column.unit, description=column.description, n_elements=column.n_elements
            )
            for name, column in self._columns.items()
        }
        self._n_rows = unit.count("NAXIS2")
        self.n_rows: int | None = self._n_rows
        self._width = unit.count("NAXIS1")
        limits.check_rows(self._n_rows)
        _check_rows(unit, width, self._n_rows, source.stat().st_size)
        self._limits = limits
        self._offset = unit.offset
        self._file = source.open("rb")

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches."""
        wanted = [split_element(name, self._columns) for name in columns]
        read = {base: self._columns[base] for base, _ in wanted}
        for name, column in read.items():
            self._limits.check_cell(name, column.width // (column.n_elements or 1))
        dtype = np.dtype(
            {
                "names": [str(k) for k in range(len(read))],
                "formats": [column.stored for column in read.values()],
                "offsets": [column.offset for column in read.values()],
                "itemsize": self._width,
            }
        )
        fields = {name: str(k) for k, name in enumerate(read)}
        size = min(size, max(1, BATCH_BYTES // max(1, self._width)))
        for start in range(0, self._n_rows, size):
            self._file.seek(self._offset + start * self._width)
            records = np.fromfile(self._file, dtype, min(size, self._n_rows - start))
            arrays: list[pa.Array] = []
            for base, element in wanted:
                stored = records[fields[base]]
                stored = stored if element is None else stored[:, element]
                arrays.append(_to_arrow(stored, read[base]))
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _chosen(
    source: Path, limits: IngestLimits, choice: TableChoice
) -> tuple[FitsUnit, list[FitsColumn], int, list[Finding]]:
    """Header unit of the catalogue, its columns, their width together, and what to say."""
    units = table_units(source)
    for unit in units:
        limits.check_columns(unit.count("TFIELDS"))
    laid_out = {unit.number: (unit, *layout(unit)) for unit in units}
    candidates = [
        Candidate(
            name=unit.cards.get("EXTNAME") or None,
            number=unit.number,
            columns=[column.name for column in columns],
            n_rows=unit.count("NAXIS2"),
        )
        for unit, columns, _ in laid_out.values()
    ]
    if not candidates:
        raise NotATableError(
            "The FITS file has no table extension (images are not read, nor tile-compressed "
            "tables: unpack them with funpack); write the catalogue with astropy's Table.write."
        )
    best, findings = choose(candidates, choice, what="HDU")
    return (*laid_out[best.number or 0], findings)


def _check_rows(unit: FitsUnit, columns_width: int, n_rows: int, size: int) -> None:
    """Raise where rows are not as wide as their columns, too wide, or not all there [bytes]."""
    width = unit.count("NAXIS1")
    is_fine = width == columns_width if unit.is_binary else width >= columns_width
    if not is_fine:
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
    needed = unit.offset + width * n_rows
    if size < needed:
        raise TruncatedFileError(
            f"The FITS table needs {needed:,} bytes, the file has {size:,}; upload it again in "
            "full.",
            where=f"byte {size}",
        )


def _to_arrow(stored: npt.NDArray[Any], column: FitsColumn) -> pa.Array:
    """Arrow values of the stored bytes of one column."""
    if column.code == "A":
        return text_array(stored, column.name)
    if column.is_ascii:
        return _from_digits(stored, column)
    if column.code == "L":
        return pa.array(stored == ord("T"), mask=stored == 0)
    native = stored.astype(stored.dtype.newbyteorder("="))
    mask = None
    if column.null is not None and native.dtype.kind in "iu":
        mask = native == _integer(column.null)
    return pa.array(_scaled(native, column), mask=mask)


def _scaled(native: npt.NDArray[Any], column: FitsColumn) -> npt.NDArray[Any]:
    """Values with scale and offset; integers that are only moved stay integers."""
    if column.scale == 1.0 and column.zero and native.dtype.kind in "iu":
        # Unsigned integers are stored with an offset of half their range; exact in integers.
        if column.zero == _UNSIGNED and native.dtype.itemsize == _LONG:
            return native.view("u8") ^ np.uint64(2**63)
        if column.zero.is_integer() and abs(column.zero) < _UNSIGNED:
            return native.astype("i8") + int(column.zero)
    if column.scale != 1.0 or column.zero:
        return native * column.scale + column.zero
    return native


_LONG = 8
"""Bytes of the widest integer."""


def _integer(text: str) -> int | None:
    """Value of TNULL; one that is no integer marks nothing."""
    try:
        return int(text)
    except ValueError:
        return None


def _from_digits(stored: npt.NDArray[Any], column: FitsColumn) -> pa.Array:
    """Numbers that are written as text; blanks and TNULL are null."""
    texts = pc.utf8_trim_whitespace(text_array(stored, column.name))
    nulls = ["", *([] if column.null is None else [column.null.strip()])]
    texts = pc.if_else(pc.is_in(texts, pa.array(nulls)), pa.scalar(None, pa.string()), texts)
    try:
        if column.code == "I" and column.scale == 1.0 and column.zero == 0.0:
            return texts.cast(pa.int64())
        numbers = pc.replace_substring(pc.utf8_upper(texts), "D", "E").cast(pa.float64())
    except pa.ArrowInvalid as error:
        raise NotATableError(
            f"The FITS column {shown(column.name)} should hold numbers and does not; write the "
            "table again.",
            where=column.name,
        ) from error
    return pc.add(pc.multiply(numbers, column.scale), column.zero)
