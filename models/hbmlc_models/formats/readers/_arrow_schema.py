"""What the schema of an Arrow or Parquet file says of its columns.

Units stand in the metadata of a field, in the table that astropy leaves in the footer, or in a
VOTable without rows (VOParquet).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from hbmlc_models.formats.findings import Finding, FindingCode, note
from hbmlc_models.formats.readers._arrow import is_scalar, is_vector
from hbmlc_models.formats.readers._names import distinct
from hbmlc_models.formats.readers._table import SourceColumn
from hbmlc_models.formats.shown import listed

__all__ = ["described", "left_out"]

_ASTROPY = b"table_meta_yaml"
_VOPARQUET = b"IVOA.VOTable-Parquet.content"
_UNITS = (b"unit", b"units", b"tunit")
_DESCRIPTIONS = (b"description", b"comment", b"doc")
_LONGEST_UNIT = 256
_LONGEST_LIST = 1_024
"""Elements that may be asked for of a list of any length."""


def described(schema: pa.Schema) -> tuple[dict[str, SourceColumn], list[str]]:
    """Columns that can be read by name, and the names that are there twice."""
    fields, doubles = distinct((field.name, field) for field in schema)
    in_footer = _in_footer(schema.metadata or {})
    columns: dict[str, SourceColumn] = {}
    for name, field in fields.items():
        if not (is_scalar(field.type) or is_vector(field.type)):
            continue
        own, other = _of_field(field), in_footer.get(name, SourceColumn())
        columns[name] = replace(
            own, unit=own.unit or other.unit, description=own.description or other.description
        )
    return columns, doubles


def left_out(schema: pa.Schema) -> list[Finding]:
    """Name the columns that are not handed out, as a finding; none where all are."""
    names = [f.name for f in schema if not (is_scalar(f.type) or is_vector(f.type))]
    if not names:
        return []
    return [
        note(
            FindingCode.COLUMNS_LEFT_OUT,
            f"Columns of structs, maps, lists of lists or fixed-width bytes are not read: "
            f"{listed(names, 8)}. Write each value in them as a column of its own.",
        )
    ]


def _of_field(field: pa.Field) -> SourceColumn:
    """What the field itself says."""
    held: Mapping[bytes, bytes] = field.metadata or {}
    metadata = {key.lower(): value for key, value in held.items()}
    n_elements = None
    if is_vector(field.type):
        is_fixed = pa.types.is_fixed_size_list(field.type)
        n_elements = field.type.list_size if is_fixed else _LONGEST_LIST
    return SourceColumn(
        unit=_text(metadata, _UNITS),
        description=_text(metadata, _DESCRIPTIONS),
        n_elements=n_elements,
    )


def _text(metadata: Mapping[bytes, bytes], keys: tuple[bytes, ...]) -> str | None:
    """First of the entries that is there."""
    for key in keys:
        if value := metadata.get(key):
            return value[:_LONGEST_UNIT].decode("utf-8", "replace").strip() or None
    return None


def _in_footer(metadata: Mapping[bytes, bytes]) -> Mapping[str, SourceColumn]:
    """What documents in the footer say of the columns."""
    if _ASTROPY in metadata:
        from hbmlc_models.formats.readers._astropy_meta import columns_in

        return columns_in(metadata[_ASTROPY])
    if _VOPARQUET in metadata:
        from hbmlc_models.formats.readers._votable_head import columns_of_document

        return columns_of_document(metadata[_VOPARQUET])
    return {}
