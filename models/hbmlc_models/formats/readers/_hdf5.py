"""HDF5 files: one dataset of records, or a group of equally long one-dimensional datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa

from hbmlc_models.formats.errors import NotATableError, PickledDataError, TruncatedFileError
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.readers._arrow import text_array

__all__ = ["Hdf5Table"]

_MAX_OBJECTS = 200_000


class Hdf5Table:
    """The largest table of an HDF5 file; links out of the file are never followed."""

    def __init__(self, source: Path, limits: IngestLimits) -> None:
        try:
            self._file = h5py.File(source, "r")
        except OSError as error:
            raise TruncatedFileError(f"The HDF5 file cannot be opened: {error}.") from error
        try:
            self._columns = _largest_table(self._file, limits)
        except BaseException:
            self._file.close()
            raise
        self._units = {name: _unit(data) for name, (data, _) in self._columns.items()}
        first, _ = next(iter(self._columns.values()))
        self._n_rows = int(first.shape[0])

    @property
    def units(self) -> Mapping[str, str | None]:
        """Names and units of the columns."""
        return self._units

    @property
    def n_rows(self) -> int | None:
        """Length of the datasets."""
        return self._n_rows

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches."""
        for start in range(0, self._n_rows, size):
            try:
                arrays = [self._read(name, start, start + size) for name in columns]
            except OSError as error:
                raise TruncatedFileError(f"An HDF5 dataset breaks off: {error}.") from error
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, name: str, start: int, stop: int) -> pa.Array:
        data, field = self._columns[name]
        values = data[start:stop] if field is None else data.fields(field)[start:stop]
        if values.dtype.kind == "O":
            return pa.array([_text(value) for value in values], pa.string())
        if values.dtype.kind in "SU":
            return text_array(values)
        native = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("="))
        return pa.array(native)


def _text(value: object) -> str:
    """One variable-length string."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _unit(data: Any) -> str | None:
    """Unit in the attributes of a dataset."""
    for key in ("unit", "units"):
        unit = data.attrs.get(key)
        if isinstance(unit, str | bytes) and data.dtype.names is None:
            return unit.decode("utf-8", "replace") if isinstance(unit, bytes) else unit
    return None


def _largest_table(file: Any, limits: IngestLimits) -> dict[str, tuple[Any, str | None]]:
    """Columns of the largest table: name to dataset and, for records, the field."""
    tables: list[dict[str, tuple[Any, str | None]]] = []
    seen = 0
    groups: list[Any] = [file]
    while groups:
        group = groups.pop()
        columns: dict[int, dict[str, tuple[Any, str | None]]] = {}
        for name in group:
            seen += 1
            limits.check_columns(len(group) if seen <= _MAX_OBJECTS else _MAX_OBJECTS)
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            item = group[name]
            if isinstance(item, h5py.Group):
                groups.append(item)
                continue
            _refuse_pickles(item)
            if item.ndim == 1 and item.dtype.names:
                limits.check_columns(len(item.dtype.names))
                tables.append({field: (item, field) for field in _scalar_fields(item)})
            elif item.ndim == 1 and _is_plain(item):
                columns.setdefault(item.shape[0], {})[name] = (item, None)
        tables.extend(columns.values())
    # Ties in size go to the table with more columns: attributes often come as short side tables.
    best = max(tables, key=_size, default=None)
    if not best:
        raise NotATableError(
            "The HDF5 file holds neither a dataset of records nor equally long one-dimensional "
            "datasets in one group."
        )
    limits.check_rows(_size(best)[0])
    return best


def _size(table: dict[str, tuple[Any, str | None]]) -> tuple[int, int]:
    """Rows and columns of a table."""
    data, _ = next(iter(table.values()))
    return int(data.shape[0]), len(table)


def _is_plain(data: Any) -> bool:
    """Whether a dataset holds numbers, booleans or text."""
    return data.dtype.kind in "biufSU" or h5py.check_string_dtype(data.dtype) is not None


def _scalar_fields(data: Any) -> list[str]:
    """Fields of a dataset of records that hold one value each."""
    fields = data.dtype.fields
    return [
        name
        for name in data.dtype.names
        if not fields[name][0].shape
        and (fields[name][0].kind in "biufSU" or h5py.check_string_dtype(fields[name][0]))
    ]


def _refuse_pickles(data: Any) -> None:
    """Raise where PyTables or pandas stored Python objects as pickles."""
    marks = {str(data.attrs.get(key, b"")) for key in ("PSEUDOATOM", "FLAVOR_TYPE")}
    is_opaque = data.dtype.kind == "V" and data.dtype.names is None
    if any("object" in mark for mark in marks) or is_opaque:
        raise PickledDataError(
            f"The dataset {data.name!r} holds Python pickles, which can run code and are never "
            "read; write plain columns (pandas: format='table').",
            where=str(data.name),
        )
