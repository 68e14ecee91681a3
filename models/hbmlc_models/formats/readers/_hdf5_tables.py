"""The tables inside an HDF5 file: records, columns side by side, and what pandas and vaex write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from hbmlc_models.formats.limits import MAX_RECORD_BYTES, IngestLimits
from hbmlc_models.formats.readers._hdf5_headers import HeaderReader
from hbmlc_models.formats.readers._hdf5_pandas import frame_blocks, index_name, table_blocks
from hbmlc_models.formats.readers._hdf5_walk import StoredData, StoredGroup, walk

__all__ = ["Hdf5Column", "Hdf5Group", "tables_in"]

_NUMBER_BYTES = 8
"""Widest number; longer floats have no counterpart elsewhere."""
_META = "__table_column_meta__"
"""What the dataset is called in which astropy keeps units."""
_VAEX = frozenset({"data", "mask"})
_MATRIX = 2
"""Axes of a dataset of vectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdf5Column:
    """One column of a table."""

    path: str
    """Name of the dataset in the file."""
    field: str | None = None
    """Field of a dataset of records."""
    element: int | None = None
    """The one element of each vector that is this column."""
    n_elements: int | None = None
    """Values a row of a vector column; ``None`` for one."""
    unit: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdf5Group:
    """One table."""

    name: str
    """Path of the group or the dataset that makes it."""
    n_rows: int
    columns: list[tuple[str, Hdf5Column]] = field(default_factory=list[tuple[str, Hdf5Column]])
    meta_path: str | None = None
    """Dataset in which astropy keeps the units."""
    left_out: tuple[str, ...] = ()
    """What could not be read."""


def tables_in(file: Any, headers: HeaderReader, limits: IngestLimits) -> list[Hdf5Group]:
    """Every table of the file that has a column of single values."""
    found: list[Hdf5Group] = []
    groups = walk(file, headers, limits)
    found.extend(_of_vaex(groups))
    in_vaex = {f"/{table.name}/columns".replace("//", "/") for table in found}
    for group in groups:
        # PyTables keeps the indices of a table beside it.
        if group.path.rpartition("/")[0] in in_vaex or "/_i_" in group.path:
            continue
        if (group.kind or "").startswith("frame"):
            found.extend(_of_pandas(file, group, limits))
        else:
            found.extend(_of_group(group))
    for table in found:
        limits.check_columns(len(table.columns))
    return [table for table in found if any(entry.n_elements is None for _, entry in table.columns)]


def _of_group(group: StoredGroup) -> Iterator[Hdf5Group]:
    """Tables of records, and equally long datasets as columns of one table."""
    side_by_side: dict[int, list[tuple[str, Hdf5Column]]] = {}
    for name, data in group.data.items():
        if name.endswith(_META) or not data.shape:
            continue
        if data.dtype.names:
            if len(data.shape) == 1:
                meta = group.data.get(f"{name}.{_META}")
                yield Hdf5Group(
                    name=data.path.strip("/"),
                    n_rows=data.shape[0],
                    columns=list(_fields(data)),
                    meta_path=meta.path if meta else None,
                )
        elif (column := _column(data)) is not None:
            side_by_side.setdefault(data.shape[0], []).append((name, column))
    for n_rows, columns in side_by_side.items():
        yield Hdf5Group(name=group.path.strip("/") or "/", n_rows=n_rows, columns=columns)


def _fields(data: StoredData) -> Iterator[tuple[str, Hdf5Column]]:
    """Fields of records that can be read."""
    for name in data.dtype.names or ():
        kind = _field(data, name)
        if _is_scalar(kind):
            yield name, Hdf5Column(path=data.path, field=name)
        elif len(kind.shape) == 1 and _is_number(kind.base) and kind.shape[0]:
            yield name, Hdf5Column(path=data.path, field=name, n_elements=kind.shape[0])


def _field(data: StoredData, name: str) -> np.dtype[Any]:
    fields: Any = data.dtype.fields
    return fields[name][0]


def _column(data: StoredData) -> Hdf5Column | None:
    """Dataset of a value or a short vector a row."""
    n_elements = None
    if len(data.shape) == _MATRIX and _is_number(data.dtype):
        n_elements = data.shape[-1]
        if not 0 < n_elements * data.dtype.itemsize <= MAX_RECORD_BYTES:
            return None
    elif len(data.shape) != 1 or not _is_scalar(data.dtype):
        return None
    return Hdf5Column(
        path=data.path, n_elements=n_elements, unit=data.unit, description=data.description
    )


def _is_number(kind: np.dtype[Any]) -> bool:
    return kind.kind in "biuf" and kind.itemsize <= _NUMBER_BYTES


def _is_scalar(kind: np.dtype[Any]) -> bool:
    """Whether a type is one number, boolean or text."""
    if kind.shape:
        return False
    if kind.kind in "biuf":
        return _is_number(kind)
    return kind.kind in "SU" or h5py.check_string_dtype(kind) is not None


def _of_vaex(groups: Sequence[StoredGroup]) -> Iterator[Hdf5Group]:
    """Tables of vaex: a group for each column, with its values as the dataset ``data``."""
    by_parent: dict[str, list[StoredGroup]] = {}
    for group in groups:
        by_parent.setdefault(group.path.rpartition("/")[0], []).append(group)
    for parent, children in by_parent.items():
        # A column of texts or with a bitmap of its own has more datasets.
        plain = [child for child in children if "data" in child.data and set(child.data) <= _VAEX]
        if not parent.endswith("/columns"):
            continue
        by_rows: dict[int, list[tuple[str, Hdf5Column]]] = {}
        for child in plain:
            name, data = child.path.rpartition("/")[2], child.data["data"]
            if (column := _column(data)) is None:
                continue
            held = by_rows.setdefault(data.shape[0], [])
            held.append((name, _said(column, child)))
            if "mask" in child.data and child.data["mask"].shape == data.shape:
                held.append((f"{name}.mask", Hdf5Column(path=child.data["mask"].path)))
        rest = tuple(c.path.rpartition("/")[2] for c in children if c not in plain)
        for n_rows, columns in by_rows.items():
            name = parent.removesuffix("/columns").strip("/")
            yield Hdf5Group(name=name, n_rows=n_rows, columns=columns, left_out=rest)


def _said(column: Hdf5Column, group: StoredGroup) -> Hdf5Column:
    """Column with what its group says of it where its dataset says nothing."""
    return Hdf5Column(
        path=column.path,
        n_elements=column.n_elements,
        unit=column.unit or group.unit,
        description=column.description or group.description,
    )


def _of_pandas(file: Any, group: StoredGroup, limits: IngestLimits) -> Iterator[Hdf5Group]:
    """A frame of pandas: blocks of columns of one type, or records with such blocks as fields."""
    name = group.path.strip("/") or "/"
    table = group.data.get("table")
    if table is not None and table.dtype.names and len(table.shape) == 1:
        columns = list(_of_records(file, group, table, limits))
        yield Hdf5Group(name=name, n_rows=table.shape[0], columns=columns)
        return
    frame = frame_blocks(file, group, limits)
    columns = []
    n_rows = frame.blocks[0][0].shape[0] if frame.blocks else 0
    if frame.index is not None and frame.index[1].shape[0] == n_rows:
        columns.append((frame.index[0], Hdf5Column(path=frame.index[1].path)))
    for data, labels in frame.blocks:
        is_narrow = data.shape[1] * data.dtype.itemsize <= MAX_RECORD_BYTES
        if data.shape[0] == n_rows and _is_number(data.dtype) and is_narrow:
            columns += [
                (label, Hdf5Column(path=data.path, element=k)) for k, label in enumerate(labels)
            ]
        else:
            frame.left_out += labels
    yield Hdf5Group(name=name, n_rows=n_rows, columns=columns, left_out=tuple(frame.left_out))


def _of_records(
    file: Any, group: StoredGroup, table: StoredData, limits: IngestLimits
) -> Iterator[tuple[str, Hdf5Column]]:
    """Columns of a frame in the table format."""
    blocks = table_blocks(file[table.path], table, limits)
    index = index_name(file[group.path])
    for name in table.dtype.names or ():
        kind = _field(table, name)
        if name in blocks and _is_scalar(kind.base):
            for k, column in enumerate(blocks[name]):
                yield column, Hdf5Column(path=table.path, field=name, element=k)
        elif _is_scalar(kind):
            label = index if name == "index" and index else name
            yield label, Hdf5Column(path=table.path, field=name)
