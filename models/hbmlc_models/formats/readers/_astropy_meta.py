"""The table of columns that astropy writes as YAML: into ECSV headers, Parquet and HDF5.

Only the list of columns is read. Tags, which name Python objects, make none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import yaml

from hbmlc_models.formats.readers._table import SourceColumn

__all__ = ["columns_in"]

_LONGEST = 2 * 2**20
"""Bytes of a document that are looked at: 5,000 columns of 400."""
_LIST = re.compile(r"^datatype:[ \t]*\n((?:[ \t-].*(?:\n|$))*)", re.MULTILINE)
_LONGEST_TEXT = 256
_VECTOR = re.compile(r"(?:float|int|uint)\d{1,3}\[(\d{1,4}|null)\]")
"""How ECSV writes the type of a vector: one length, or none for lists of any length."""
_LONGEST_LIST = 1_024
"""Elements that may be asked for of a list of any length."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):
    """A safe loader for which a tag is no more than a remark."""


def _without_tag(loader: Any, _: str, node: Any) -> object:
    """Value of a node whatever its tag says."""
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return None


_Loader.add_multi_constructor("!", _without_tag)
_Loader.add_multi_constructor("tag:", _without_tag)


def columns_in(document: bytes | str) -> Mapping[str, SourceColumn]:
    """What is said of each column; nothing where the document is not understood."""
    text = document if isinstance(document, str) else document.decode("utf-8", "replace")
    found = _LIST.search(text[:_LONGEST])
    if found is None:
        return {}
    try:
        entries = yaml.load(found[1], Loader=_Loader)  # noqa: S506 -- a safe loader
    except (yaml.YAMLError, RecursionError, ValueError, TypeError):
        return {}
    if not isinstance(entries, list):
        return {}
    columns: dict[str, SourceColumn] = {}
    for entry in cast("list[Any]", entries):
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            columns[entry["name"]] = SourceColumn(
                unit=_text(entry.get("unit")),
                description=_text(entry.get("description")),
                n_elements=_length(entry.get("subtype")),
            )
    return columns


def _length(subtype: object) -> int | None:
    """Values a row of a vector of numbers; ``None`` for anything else."""
    found = _VECTOR.fullmatch(subtype) if isinstance(subtype, str) else None
    if found is None:
        return None
    return _LONGEST_LIST if found[1] == "null" else int(found[1])


def _text(value: object) -> str | None:
    """Text of an entry; a tagged unit stands in a mapping of its own."""
    if isinstance(value, dict):
        value = cast("dict[str, object]", value).get("unit")
    return value[:_LONGEST_TEXT] if isinstance(value, str) and value else None
