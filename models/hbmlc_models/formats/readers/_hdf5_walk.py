"""A walk through an HDF5 file that opens what lies in it and nothing else.

An HDF5 file can name others: external links, external storage of a dataset, virtual datasets. Each
makes the library read any file that the process may read, so each is refused by its description,
before a shape or a value is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np
from h5py import h5o  # pyright: ignore[reportAttributeAccessIssue]

from hbmlc_models.formats.errors import (
    NotATableError,
    OutsideDataError,
    PickledDataError,
    TooDemandingError,
)
from hbmlc_models.formats.limits import MAX_OBJECTS, IngestLimits
from hbmlc_models.formats.readers._hdf5_headers import HeaderReader
from hbmlc_models.formats.shown import shown

__all__ = ["StoredData", "StoredGroup", "text_attribute", "walk"]

_MAX_ATTRIBUTE_BYTES = 4_096
_PANDAS = "pandas_type"
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
class StoredData:
    """A dataset whose values lie in the file."""

    path: str
    """Name of the dataset in the file."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    unit: str | None
    description: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGroup:
    """A group and the datasets right in it."""

    path: str
    kind: str | None
    """What pandas calls the group, where it made it."""
    unit: str | None
    description: str | None
    data: dict[str, StoredData] = field(default_factory=dict[str, StoredData])
    """Datasets by name."""
    pickled: list[str] = field(default_factory=list[str])
    """Datasets of Python objects in a group of pandas, which are passed over."""


def walk(file: Any, headers: HeaderReader, limits: IngestLimits) -> list[StoredGroup]:
    """Every group of the file, with its datasets.

    Raises
    ------
    OutsideDataError
        Something on the way points out of the file, or elsewhere in it.
    """
    found: list[StoredGroup] = []
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
        here = _described(group)
        found.append(here)
        below: list[Any] = []
        for name in group:
            item = _open(group, name, headers)
            if item is None or (address := _address(item)) in known:
                continue
            known.add(address)
            if isinstance(item, h5py.Group):
                below.append(item)
            else:
                _add(item, name, here, limits)
        groups.extend(reversed(below))
    return found


def _described(group: Any) -> StoredGroup:
    unit = text_attribute(group, "unit") or text_attribute(group, "units")
    return StoredGroup(
        path=group.name,
        kind=text_attribute(group, _PANDAS),
        unit=unit,
        description=text_attribute(group, "description"),
    )


def _open(group: Any, name: str, headers: HeaderReader) -> Any:
    """Group or dataset of that name; ``None`` for a stored type."""
    link = group.get(name, getlink=True)
    path = f"{group.name.rstrip('/')}/{name}"
    if not isinstance(link, h5py.HardLink):
        raise OutsideDataError(
            f"{shown(path)} is a soft or an external link, which is never followed; copy the "
            "datasets into the file.",
            where=path,
        )
    if headers.is_outside(int(group.id.links.get_info(name.encode("utf-8", "surrogateescape")).u)):
        raise _outside(path)
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
        raise _outside(path)
    filters = [plan.get_filter(k)[0] for k in range(plan.get_nfilters())]
    if not _FILTERS.issuperset(filters) or len(filters) > _MAX_FILTERS:
        raise NotATableError(
            f"The HDF5 dataset {shown(path)} is compressed by a plug-in or several times over; "
            "write it with gzip or without compression.",
            where=path,
        )


def _outside(path: str) -> OutsideDataError:
    return OutsideDataError(
        f"The values of the HDF5 dataset {shown(path)} lie in other files (external storage or a "
        "virtual dataset), which are never read; write them into the file.",
        where=path,
    )


def _address(item: Any) -> object:
    """What two names of one object have in common."""
    info = h5o.get_info(item.id)
    return info.fileno, info.addr


def _add(data: Any, name: str, group: StoredGroup, limits: IngestLimits) -> None:
    """Keep the description of a dataset, where numpy has a counterpart to its type."""
    if data.id.get_type().get_class() == h5py.h5t.COMPOUND:
        limits.check_columns(data.id.get_type().get_nmembers())
    try:
        dtype = data.dtype
    except (TypeError, ValueError):
        # A type that numpy does not know, such as a time of day.
        return
    if _is_pickled(data):
        if group.kind is None:
            raise PickledDataError(
                f"The dataset {shown(data.name)} holds Python pickles, which can run code and are "
                "never read; write plain columns (pandas: format='table').",
                where=data.name,
            )
        group.pickled.append(name)
        return
    group.data[name] = StoredData(
        path=data.name,
        shape=tuple(map(int, data.shape or ())),
        dtype=dtype,
        unit=text_attribute(data, "unit") or text_attribute(data, "units"),
        description=text_attribute(data, "description"),
    )


def _is_pickled(data: Any) -> bool:
    """Whether PyTables or pandas stored Python objects as pickles."""
    marks = [text_attribute(data, name) or "" for name in ("PSEUDOATOM", "FLAVOR_TYPE")]
    is_opaque = data.dtype.kind == "V" and data.dtype.names is None
    return any("object" in mark for mark in marks) or is_opaque


def text_attribute(item: Any, name: str, *, most: int = _MAX_ATTRIBUTE_BYTES) -> str | None:
    """Text of a short attribute."""
    if name not in item.attrs:
        return None
    held = item.attrs.get_id(name)
    if held.shape not in {(), (1,)} or held.get_storage_size() > most:
        return None
    value = item.attrs[name]
    if held.shape == (1,):
        value = value[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str) else None
