"""Masks as astropy writes them: a column ``NAME.mask`` beside ``NAME``, true where nothing is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.errors import NotATableError
from hbmlc_models.formats.findings import FindingCode, note
from hbmlc_models.formats.readers._elements import split_element
from hbmlc_models.formats.readers._table import SourceTable
from hbmlc_models.formats.shown import listed, shown

__all__ = ["masked"]

_SUFFIX = ".mask"
_TRUE = ("true", "t", "1")
_FALSE = ("false", "f", "0")


def masked(table: SourceTable) -> SourceTable:
    """Return the table with its masks applied and hidden, or itself where it has none."""
    masks = {name: name + _SUFFIX for name in table.columns if name + _SUFFIX in table.columns}
    return _MaskedTable(table, masks) if masks else table


class _MaskedTable:
    """A table whose masked values are null."""

    def __init__(self, table: SourceTable, masks: Mapping[str, str]) -> None:
        self._table = table
        self._masks = masks
        hidden = set(masks.values())
        self.columns = {n: column for n, column in table.columns.items() if n not in hidden}
        self.doubles = table.doubles
        self.n_rows = table.n_rows
        used = note(
            FindingCode.MASKS_USED,
            f"Values that {listed(masks.values(), 6)} mark are taken as missing.",
        )
        self.findings = [*table.findings, used]

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches, masked values as null."""
        masks = {name: mask for name in columns if (mask := self._mask_of(name)) is not None}
        wanted = list(dict.fromkeys([*columns, *masks.values()]))
        for batch in self._table.batches(wanted, size=size):
            arrays = [
                _without(batch[name], batch[masks[name]], masks[name])
                if name in masks
                else batch[name]
                for name in columns
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def close(self) -> None:
        """Close the table."""
        self._table.close()

    def _mask_of(self, name: str) -> str | None:
        """Mask of a column, or its element for an element."""
        base, element = split_element(name, self.columns)
        if (mask := self._masks.get(base)) is None:
            return None
        is_vector = self._table.columns[mask].n_elements is not None
        return mask if element is None or not is_vector else f"{mask}[{element}]"


def _without(values: pa.Array, mask: pa.Array, name: str) -> pa.Array:
    """Values, null where the mask is true."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    is_hidden = pc.fill_null(_flags(mask, name), False)  # noqa: FBT003 -- a value
    return pc.if_else(is_hidden, pa.scalar(None, values.type), values)


def _flags(mask: pa.Array, name: str) -> pa.Array:
    """Mask as booleans."""
    if pa.types.is_dictionary(mask.type):
        mask = mask.dictionary_decode()
    if pa.types.is_boolean(mask.type):
        return mask
    if pa.types.is_integer(mask.type):
        return pc.not_equal(mask, 0)
    if pa.types.is_string(mask.type):
        lowered = pc.utf8_lower(pc.utf8_trim_whitespace(mask))
        known = pc.is_in(lowered, pa.array([*_TRUE, *_FALSE, None]))
        if pc.all(known).as_py() or not len(mask):
            return pc.is_in(lowered, pa.array(_TRUE))
    raise NotATableError(
        f"The column {shown(name)} should say true or false for each row and does not; write the "
        "table again.",
        where=name,
    )
