"""Arrow columns of any source as plain arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hbmlc_models.arrays import BoolArray
from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.errors import IntegerOverflowError, MappingInvalidError

__all__ = ["booleans", "integers", "is_text", "numbers", "plain", "texts"]

_TRUE = ("true", "t", "yes", "y", "1", "1.0")
_FALSE = ("false", "f", "no", "n", "0", "0.0")
_EXACT_FLOAT = 2.0**53
"""Integers below this are exact in a double."""


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def plain(column: pa.Array) -> pa.Array:
    """The same values without dictionary encoding, text as ``string``."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if is_text(kind) or pa.types.is_string_view(kind) or pa.types.is_binary(kind):
        return column.cast(pa.string())
    return column


def numbers(column: pa.Array, name: str) -> npt.NDArray[np.float64]:
    """Values of a numeric column, ``(n,)``; NaN where null."""
    column = plain(column)
    try:
        if is_text(column.type):
            column = pc.utf8_trim_whitespace(column)
        cast = column.cast(pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise MappingInvalidError(
            f"The column {name!r} should hold numbers: {error}; map another column or mend it.",
            where=name,
        ) from error
    return np.array(cast.to_numpy(zero_copy_only=False), dtype=np.float64)


def integers(column: pa.Array, name: str) -> pa.Array:
    """Values of an integer column as int64, nulls kept."""
    column = plain(column)
    if pa.types.is_floating(column.type):
        values = numbers(column, name)
        held = values[~np.isnan(values)]
        if np.any(held != np.round(held)) or np.any(np.abs(held) >= _EXACT_FLOAT):
            raise MappingInvalidError(
                f"The column {name!r} holds fractions; ids and tiles are integers or text.",
                where=name,
            )
        return pa.array(np.nan_to_num(values).astype(np.int64), mask=np.isnan(values))
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise IntegerOverflowError(
            f"The column {name!r} holds an integer beyond 64 bits with sign: {error}; write it as "
            "text.",
            where=name,
        ) from error
    except pa.ArrowNotImplementedError as error:
        raise MappingInvalidError(
            f"The column {name!r} holds {column.type}; ids and tiles are integers or text.",
            where=name,
        ) from error


def texts(column: pa.Array) -> pa.Array:
    """Values of a text column, blanks around them removed; empty becomes null."""
    trimmed = pc.utf8_trim_whitespace(plain(column))
    return pc.if_else(pc.equal(pc.utf8_length(trimmed), 0), pa.scalar(None, pa.string()), trimmed)


def booleans(column: pa.Array, name: str) -> BoolArray:
    """Values of a flag, ``(n,)``; null and NaN are False."""
    column = plain(column)
    if is_text(column.type):
        lowered = pc.utf8_lower(pc.utf8_trim_whitespace(column))
        is_true = pc.is_in(lowered, pa.array(_TRUE))
        is_known = pc.or_(is_true, pc.is_in(lowered, pa.array([*_FALSE, "", None])))
        if not pc.all(is_known).as_py() and len(column):
            raise MappingInvalidError(
                f"The column {name!r} should hold true and false.", where=name
            )
        return np.array(is_true.to_numpy(zero_copy_only=False), dtype=bool)
    values = numbers(column, name)
    return np.nan_to_num(values, nan=0.0) != 0
