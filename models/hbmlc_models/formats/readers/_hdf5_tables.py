"""The table inside an HDF5 file: a walk that opens what lies in the file and nothing else.

An HDF5 file can name others: external links, external storage of a dataset, virtual datasets. Each
makes the library read any file that the process may read, so each is refused by its description,
before a shape or a value is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import h5py
from h5py import h5o  # pyright: ignore[reportAttributeAccessIssue]

from hbmlc_models.formats.errors import (
    NotATableError,
    OutsideDataError,
    PickledDataError,
    TooDemandingError,
)
from hbmlc_models.formats.limits import MAX_OBJECTS, IngestLimits
from hbmlc_models.formats.shown import shown

__all__ = ["Hdf5Column", "largest_table"]

_MAX_ATTRIBUTE_BYTES = 4_096
_NUMBER_BYTES = 8
"""Widest number; longer floats have no counterpart elsewhere."""
_FILTERS = frozenset(
    {
        h5py.h5z.FILTER_DEFLATE,
        h5py.h5z.FILTER_SHUFFLE,
        h5py.h5z.FILTER_FLETCHER32,
        h5py.h5z.FILTER_SZIP,
        h5py.h5z.FILTER_NBIT,
        h5py.h5z.FILTER_SCALEOFFSET,
        h5py.h5z.FILTER_LZF,
    }
)
"""Filters that are read; others are plug-ins, that is code."""
_MAX_FILTERS = 4
"""Two compressors in a row unfold a thousandfold each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdf5Column:
    """One column of the table."""

    path: str
    """Name of the dataset in the file."""
    field: str | None
    """Field of a dataset of records."""
    unit: str | None
    n_rows: int


_Table = dict[str, Hdf5Column]


def largest_table(file: Any, limits: IngestLimits) -> _Table:
    """Columns of the largest table, by name.

    Raises
    ------
    OutsideDataError
        Something on the way points out of the file, or elsewhere in it.
    """
    tables: list[_Table] = []
    groups: list[Any] = [file]
    # Hard links can lead in circles.
    known = {_address(file)}
    while groups:
        group = groups.pop()
        if len(known) + len(group) > MAX_OBJECTS:
            raise TooDemandingError(
                f"The HDF5 file has more than {MAX_OBJECTS:,} groups and datasets; upload the "
                "table alone."
            )
        columns: dict[int, _Table] = {}
        for name in group:
            item = _open(group, name)
            if item is None or (address := _address(item)) in known:
                continue
            known.add(address)
            if isinstance(item, h5py.Group):
                groups.append(item)
            else:
                _add(item, name, tables, columns, limits)
        for table in columns.values():
            limits.check_columns(len(table))
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


def _open(group: Any, name: str) -> Any:
    """Group or dataset of that name; ``None`` for a stored type."""
    link = group.get(name, getlink=True)
    path = f"{group.name.rstrip('/')}/{name}"
    if not isinstance(link, h5py.HardLink):
        raise OutsideDataError(
            f"{shown(path)} is a soft or an external link, which is never followed; copy the "
            "datasets into the file.",
            where=path,
        )
    item = group[name]
    if isinstance(item, h5py.Datatype):
        return None
    if isinstance(item, h5py.Dataset):
        _refuse_outside(item, path)
    return item


def _refuse_outside(data: Any, path: str) -> None:
    """Raise where the values of a dataset lie in other files or come from filters of others."""
    plan = data.id.get_create_plist()
    if plan.get_layout() == h5py.h5d.VIRTUAL or plan.get_external_count():
        raise OutsideDataError(
            f"The values of the HDF5 dataset {shown(path)} lie in other files (external storage or "
            "a virtual dataset), which are never read; write them into the file.",
            where=path,
        )
    filters = [plan.get_filter(k)[0] for k in range(plan.get_nfilters())]
    if not _FILTERS.issuperset(filters) or len(filters) > _MAX_FILTERS:
        raise NotATableError(
            f"The HDF5 dataset {shown(path)} is compressed by a plug-in or several times over; "
            "write it with gzip or without compression.",
            where=path,
        )


def _address(item: Any) -> object:
    """What two names of one object have in common."""
    info = h5o.get_info(item.id)
    return info.fileno, info.addr


def _add(
    data: Any,
    name: str,
    tables: list[_Table],
    columns: dict[int, _Table],
    limits: IngestLimits,
) -> None:
    """Put a dataset where it belongs: a table of its own, or a column among equally long ones."""
    if data.id.get_type().get_class() == h5py.h5t.COMPOUND:
        limits.check_columns(data.id.get_type().get_nmembers())
    try:
        dtype = data.dtype
    except (TypeError, ValueError):
        # A type that numpy does not know, such as a time of day.
        return
    _refuse_pickles(data)
    if data.ndim != 1:
        return
    n_rows = int(data.shape[0])
    if dtype.names:
        fields = {
            field: Hdf5Column(path=data.name, field=field, unit=None, n_rows=n_rows)
            for field in dtype.names
            if _is_scalar(dtype.fields[field][0])
        }
        tables.append(fields)
    elif _is_scalar(dtype):
        unit = _attribute(data, "unit") or _attribute(data, "units")
        column = Hdf5Column(path=data.name, field=None, unit=unit, n_rows=n_rows)
        columns.setdefault(n_rows, {})[name] = column


def _size(table: _Table) -> tuple[int, int]:
    """Rows and columns of a table."""
    first = next(iter(table.values()), None)
    return first.n_rows if first else 0, len(table)


def _is_scalar(dtype: Any) -> bool:
    """Whether a type is one number, boolean or text."""
    if dtype.shape:
        return False
    if dtype.kind in "biuf":
        return dtype.itemsize <= _NUMBER_BYTES
    return dtype.kind in "SU" or h5py.check_string_dtype(dtype) is not None


def _attribute(data: Any, name: str) -> str | None:
    """Text of a short attribute."""
    if name not in data.attrs:
        return None
    held = data.attrs.get_id(name)
    if held.shape not in {(), (1,)} or held.get_storage_size() > _MAX_ATTRIBUTE_BYTES:
        return None
    value = data.attrs[name]
    if held.shape == (1,):
        value = value[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str) else None


def _refuse_pickles(data: Any) -> None:
    """Raise where PyTables or pandas stored Python objects as pickles."""
    marks = [_attribute(data, name) or "" for name in ("PSEUDOATOM", "FLAVOR_TYPE")]
    is_opaque = data.dtype.kind == "V" and data.dtype.names is None
    if any("object" in mark for mark in marks) or is_opaque:
        raise PickledDataError(
            f"The dataset {shown(data.name)} holds Python pickles, which can run code and are "
            "never read; write plain columns (pandas: format='table').",
            where=data.name,
        )
