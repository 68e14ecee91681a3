"""Conversions and checks of arrow values that several readers share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.errors import BadTextError, TruncatedFileError
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.shown import shown

__all__ = ["check_dictionary", "element_of", "is_long", "is_scalar", "is_vector", "text_array"]


def text_array(stored: npt.NDArray[Any], name: str) -> pa.Array:
    """Text of fixed-width bytes (``S``) or characters (``U``), without the padding."""
    if stored.dtype.kind == "U":
        return pa.array([str(text).rstrip(" \x00") for text in stored], pa.string())
    try:
        decoded = np.char.decode(stored.astype(stored.dtype.newbyteorder("=")), "utf-8")
    except UnicodeDecodeError as error:
        raise BadTextError(
            f"The text column {shown(name)} is not UTF-8; write it as UTF-8.", where=name
        ) from error
    return pa.array(np.char.rstrip(decoded, " \x00").tolist(), pa.string())


def is_long(kind: pa.DataType) -> bool:
    """Whether a column holds texts or bytes of any length."""
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def is_scalar(kind: pa.DataType) -> bool:
    """Whether a column holds one value a row that can be a number, a flag or a text."""
    if pa.types.is_dictionary(kind):
        return is_scalar(kind.value_type)
    # Run lengths make billions of rows of one value.
    return not (
        pa.types.is_nested(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_run_end_encoded(kind)
    )


def is_vector(kind: pa.DataType) -> bool:
    """Whether a column holds several numbers a row."""
    is_list = (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )
    if not is_list:
        return False
    return pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)


def element_of(column: pa.Array, element: int) -> pa.Array:
    """One element of each list; null where a list is shorter."""
    if pa.types.is_fixed_size_list(column.type):
        return pc.list_element(column, element)
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    is_there = pc.greater(lengths, element)
    places = pc.add(column.offsets.slice(0, len(column)), element)
    return column.values.take(pc.if_else(is_there, places, pa.scalar(None, places.type)))


def check_dictionary(column: pa.Array, name: str, limits: IngestLimits) -> None:
    """Raise where rows name no entry, or one that is too long to be repeated row by row."""
    if not pa.types.is_dictionary(column.type):
        return
    bounds = pc.min_max(column.indices).as_py()
    if bounds["max"] is not None and not (
        bounds["min"] >= 0 and bounds["max"] < len(column.dictionary)
    ):
        raise TruncatedFileError(
            f"Rows of the column {shown(name)} name no entry of its dictionary; write the file "
            "again.",
            where=name,
        )
    if is_long(column.type.value_type):
        longest = pc.max(pc.binary_length(column.dictionary)).as_py()
        limits.check_cell(name, longest or 0)
