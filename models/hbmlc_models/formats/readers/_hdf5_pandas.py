"""Where pandas keeps the names of columns in HDF5: beside blocks of values of one type.

Some of the names stand in attributes as pickles. Those are taken apart into their tokens, of which
the texts are kept; nothing is ever made of a pickle.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.readers._hdf5_walk import StoredData, StoredGroup, text_attribute

__all__ = ["Frame", "frame_blocks", "index_name", "table_blocks"]

_LONGEST_NAMES = 512 * 1024
"""Bytes of the names of a block."""
_MATRIX = 2
_TEXTS = frozenset({"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"})
_NO_VALUES = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "MARK", "PROTO", "FRAME"})


@dataclass(slots=True, kw_only=True)
class Frame:
    """A frame in pandas' fixed format."""

    index: tuple[str, StoredData] | None = None
    """Name and values of the index."""
    blocks: list[tuple[StoredData, list[str]]] = field(
        default_factory=list[tuple[StoredData, list[str]]]
    )
    """Values ``(rows, columns)`` and the names of the columns."""
    left_out: list[str] = field(default_factory=list[str])
    """Columns of Python objects."""


def frame_blocks(file: Any, group: StoredGroup, limits: IngestLimits) -> Frame:
    """Blocks of a frame in the fixed format."""
    frame = Frame()
    rows = group.data.get("axis1")
    if rows is not None and len(rows.shape) == 1:
        name = text_attribute(file[rows.path], "name")
        frame.index = (name if name and name != "N." else "index", rows)
    for number in range(limits.max_columns):
        items = group.data.get(f"block{number}_items")
        if items is None:
            break
        values = group.data.get(f"block{number}_values")
        labels = _labels(file, items, limits)
        is_pickled = f"block{number}_values" in group.pickled
        if values is not None and len(values.shape) == _MATRIX and values.shape[1] == len(labels):
            frame.blocks.append((values, labels))
        elif is_pickled or values is not None:
            frame.left_out += labels
    return frame


def _labels(file: Any, items: StoredData, limits: IngestLimits) -> list[str]:
    """Names of the columns of a block."""
    if len(items.shape) != 1:
        return []
    limits.check_columns(items.shape[0])
    is_text = items.dtype.kind == "S"
    if not is_text and items.dtype.kind not in "iu":
        return []
    if items.shape[0] * items.dtype.itemsize > _LONGEST_NAMES:
        return []
    return [
        value.decode("utf-8", "replace") if is_text else str(value) for value in file[items.path][:]
    ]


def table_blocks(data: Any, stored: StoredData, limits: IngestLimits) -> dict[str, list[str]]:
    """Names of the columns in each block of a frame in the table format, by field."""
    blocks: dict[str, list[str]] = {}
    fields: Any = stored.dtype.fields
    for name in stored.dtype.names or ():
        kind = fields[name][0]
        if len(kind.shape) != 1:
            continue
        limits.check_columns(kind.shape[0])
        pickled = text_attribute(data, f"{name}_kind", most=_LONGEST_NAMES) or ""
        labels = [text for text in _texts(pickled) if text is not None]
        if len(labels) == kind.shape[0]:
            blocks[name] = labels
    return blocks


def index_name(group: Any) -> str | None:
    """Name of the index of a frame in the table format."""
    texts = list(_texts(text_attribute(group, "info", most=_LONGEST_NAMES) or ""))
    if "index_name" not in texts:
        return None
    return next(iter(texts[texts.index("index_name") + 1 :]), None)


def _texts(pickled: str) -> Iterator[str | None]:
    """Texts in a pickle, ``None`` for any other value; what is no pickle ends it."""
    try:
        for code, argument, _ in pickletools.genops(pickled.encode("latin-1", "replace")):
            if code.name in _TEXTS:
                yield str(argument)
            elif code.name not in _NO_VALUES:
                yield None
    except (ValueError, IndexError, OverflowError):
        return
