"""VOTable documents."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io import votable
from astropy.io.votable.exceptions import VOWarning

from hbmlc_models.formats.errors import CatalogError, NotATableError, TruncatedFileError
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.readers._arrow import text_array
from hbmlc_models.formats.readers._table import refuse_doubles
from hbmlc_models.formats.readers._votable_check import check_document

__all__ = ["VoTable"]


class VoTable:
    """The first table of a VOTable document, held in memory; array columns are left out."""

    def __init__(self, source: Path, limits: IngestLimits) -> None:
        check_document(source, limits)
        self._limits = limits
        try:
            # An open file, not a name: the library then has no place to start a relative address.
            with source.open("rb") as file, warnings.catch_warnings():
                warnings.simplefilter("ignore", VOWarning)
                table = votable.parse(file, verify="ignore").get_first_table()
        except IndexError as error:
            raise NotATableError("The VOTable document holds no table.") from error
        except (CatalogError, MemoryError):
            raise
        except Exception as error:
            # astropy raises whatever its XML, base64 and numpy layers raise; all mean the same.
            raise TruncatedFileError(
                "The VOTable document is damaged; write it again, or upload Parquet or FITS."
            ) from error
        limits.check_columns(len(table.fields))
        limits.check_rows(len(table.array))
        self._data: Any = table.array
        refuse_doubles([str(field.name) for field in table.fields if field.name])
        names = table.array.dtype.names or ()
        fields = zip(names, table.fields, strict=True)
        self._fields = {
            _label(key, field): (key, field) for key, field in fields if _is_flat(field)
        }

    @property
    def units(self) -> Mapping[str, str | None]:
        """Names and units of the scalar columns."""
        return {
            name: None if field.unit is None else str(field.unit)
            for name, (_, field) in self._fields.items()
        }

    @property
    def n_rows(self) -> int | None:
        """Number of rows."""
        return len(self._data)

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches."""
        for start in range(0, len(self._data), size):
            part = self._data[start : start + size]
            arrays = [
                _to_arrow(part[self._fields[name][0]], name, self._limits) for name in columns
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def close(self) -> None:
        """Drop the table."""
        self._data = self._data[:0]


def _label(key: str, field: Any) -> str:
    """Name of a column: its name, else its ID."""
    return str(field.name or key)


def _is_flat(field: Any) -> bool:
    """Whether a column holds one value a row."""
    return field.datatype in {"char", "unicodeChar"} or field.arraysize in (None, "1")


def _to_arrow(values: Any, name: str, limits: IngestLimits) -> pa.Array:
    """Arrow values of one masked column."""
    data = np.ma.getdata(values)
    mask = np.ma.getmaskarray(values)
    if data.dtype.kind == "O":
        texts = [None if m else str(v) for v, m in zip(data, mask, strict=True)]
        limits.check_cell(name, max((len(text) for text in texts if text), default=0))
        return pa.array(texts, pa.string())
    limits.check_cell(name, data.dtype.itemsize)
    if data.dtype.kind in "SU":
        return text_array(data, name)
    return pa.array(np.ascontiguousarray(data), mask=mask)
