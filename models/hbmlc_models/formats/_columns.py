"""Arrow columns of any source as plain arrays.

Faults are told by column and row, counted from one; what stands in the cell is never repeated.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hbmlc_models.arrays import BoolArray
from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.errors import BadTextError, IntegerOverflowError, MappingInvalidError
from hbmlc_models.formats.shown import shown

__all__ = [
    "TRUE_WORDS",
    "angles",
    "booleans",
    "integers",
    "is_text",
    "labels",
    "numbers",
    "plain",
    "texts",
]

TRUE_WORDS = ("true", "t", "yes", "y", "1", "1.0")
"""Spellings of true in a flag, in lower case."""
_FALSE = ("false", "f", "no", "n", "0", "0.0")
_NULLS = (
    *("", "-", "--", "---", ".", "..", "...", "?", "nan", "null", "none", "na", "n/a", "#n/a"),
    *("\\n", "*", "**", "***"),
    *("masked", "nil", "undefined", "undef", "indef"),
)
"""Words for nothing, in lower case."""
_SEXAGESIMAL = (
    r"^\s*(?P<sign>[+-]?)(?P<whole>\d{1,3})[:\shd°]+(?P<minutes>\d{1,2})[:\sm']+"
    r"(?P<seconds>\d{1,2}(?:\.\d*)?)\s*[s\"]?\s*$"
)
"""Hours or degrees, minutes and seconds."""
_EXACT_FLOAT = 2.0**53
"""Integers below this are exact in a double."""
_UNPRINTABLE = "[\\x00-\\x1f\\x7f]"
"""What neither a database nor FITS keeps in a text."""


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def plain(column: pa.Array, name: str) -> pa.Array:
    """The same values without dictionary encoding, text as valid ``string``."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
        column = column.cast(kind)
    is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    is_view = pa.types.is_string_view(kind) or pa.types.is_binary_view(kind)
    if not (is_text(kind) or is_bytes or is_view):
        return column
    try:
        column = column.cast(pa.string())
        # Text of a Parquet file is taken at its word otherwise.
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        raise BadTextError(
            f"The column {shown(name)} holds text that is not UTF-8; write it as UTF-8.", where=name
        ) from error
    return column


def numbers(column: pa.Array, name: str, *, start: int = 0) -> npt.NDArray[np.float64]:
    """Values of a numeric column, ``(n,)``; NaN where null; ``start`` rows came before."""
    column = plain(column, name)

    def cast(part: pa.Array) -> pa.Array:
        return part.cast(pa.float64(), safe=False)

    try:
        try:
            values = cast(column)
        except pa.ArrowInvalid:
            # Blanks and words for nothing are rare, and looking for them takes longer than reading.
            column = _without_words(column)
            values = cast(column)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        row = start + _first_fault(column, cast) + 1
        raise MappingInvalidError(
            f"The column {shown(name)} should hold numbers, row {row:,} does not; map another "
            "column or mend it.",
            where=name,
        ) from error
    return np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def _without_words(column: pa.Array) -> pa.Array:
    """Text without blanks around it and without words for nothing."""
    if not is_text(column.type):
        return column
    trimmed = pc.utf8_trim_whitespace(column)
    is_null = pc.is_in(pc.utf8_lower(trimmed), pa.array(_NULLS))
    return pc.if_else(is_null, pa.scalar(None, pa.string()), trimmed)


def angles(
    column: pa.Array, name: str, *, per_hour: float, start: int = 0
) -> npt.NDArray[np.float64]:
    """Values of a position, ``(n,)``; texts such as ``10:00:12.3`` times ``per_hour``."""
    held = plain(column, name)
    try:
        return numbers(held, name, start=start)
    except MappingInvalidError:
        if not is_text(held.type):
            raise
        parts = pc.extract_regex(held, _SEXAGESIMAL)
        if parts.null_count == len(parts):
            raise
        return _sexagesimal(parts) * per_hour


def _sexagesimal(parts: pa.StructArray) -> npt.NDArray[np.float64]:
    """Whole parts with minutes and seconds; NaN where a text is no such thing."""
    whole, minutes, seconds = (
        np.array(parts.field(k).cast(pa.float64()).to_numpy(zero_copy_only=False))
        for k in ("whole", "minutes", "seconds")
    )
    is_south = np.asarray(pc.equal(parts.field("sign"), "-").to_numpy(zero_copy_only=False))
    values = whole + minutes / 60 + seconds / 3600
    values[np.asarray(parts.is_null())] = np.nan
    return np.where(is_south, -values, values)


def integers(column: pa.Array, name: str, *, start: int = 0) -> pa.Array:
    """Values of an integer column as int64, nulls kept; ``start`` rows came before."""
    column = plain(column, name)
    if pa.types.is_floating(column.type):
        values = numbers(column, name)
        held = values[~np.isnan(values)]
        if np.any(held != np.round(held)):
            raise MappingInvalidError(
                f"The column {shown(name)} holds fractions; ids and tiles are integers or text.",
                where=name,
            )
        if np.any(np.abs(held) >= _EXACT_FLOAT):
            raise BadTextError(
                f"The column {shown(name)} holds floating-point numbers beyond 2^53, whose last "
                "digits are lost; write ids and tiles as integers or text.",
                where=name,
            )
        return pa.array(np.nan_to_num(values).astype(np.int64), mask=np.isnan(values))
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid as error:
        row = start + _first_fault(column, lambda part: part.cast(pa.int64())) + 1
        raise IntegerOverflowError(
            f"The column {shown(name)} holds an integer beyond 64 bits with sign in row {row:,}; "
            "write it as text, with a letter before the digits.",
            where=name,
        ) from error
    except pa.ArrowNotImplementedError as error:
        raise MappingInvalidError(
            f"The column {shown(name)} holds {column.type}; ids and tiles are integers or text.",
            where=name,
        ) from error


def texts(column: pa.Array, name: str) -> pa.Array:
    """Values of a text column, blanks around them removed; empty becomes null."""
    trimmed = pc.utf8_trim_whitespace(plain(column, name))
    return pc.if_else(pc.equal(pc.utf8_length(trimmed), 0), pa.scalar(None, pa.string()), trimmed)


def labels(column: pa.Array, name: str, *, max_bytes: int, start: int = 0) -> pa.Array:
    """Ids or tile names as ``texts``: short, and without control characters."""
    held = texts(column, name)
    width = pc.max(pc.binary_length(held)).as_py() or 0
    if width > max_bytes:
        row = start + pc.index(pc.binary_length(held), width).as_py() + 1
        raise BadTextError(
            f"Row {row:,} of the column {shown(name)} has {width:,} bytes, the limit is "
            f"{max_bytes}; map another column.",
            where=name,
        )
    is_bad = pc.match_substring_regex(held, _UNPRINTABLE)
    if pc.any(is_bad).as_py():
        row = start + pc.index(is_bad, True).as_py() + 1
        raise BadTextError(
            f"Row {row:,} of the column {shown(name)} holds a control character; write ids and "
            "tiles as printable text.",
            where=name,
        )
    return held


def booleans(column: pa.Array, name: str, *, start: int = 0) -> BoolArray:
    """Values of a flag, ``(n,)``; null and NaN are False; ``start`` rows came before."""
    column = plain(column, name)
    if is_text(column.type):
        lowered = pc.utf8_lower(pc.utf8_trim_whitespace(column))
        is_true = pc.is_in(lowered, pa.array(TRUE_WORDS))
        is_known = pc.or_(is_true, pc.is_in(lowered, pa.array([*_FALSE, "", None])))
        if not pc.all(is_known).as_py() and len(column):
            row = start + pc.index(is_known, False).as_py() + 1
            raise MappingInvalidError(
                f"The column {shown(name)} should hold true and false, row {row:,} does not.",
                where=name,
            )
        return np.array(is_true.to_numpy(zero_copy_only=False), dtype=bool)
    values = np.nan_to_num(numbers(column, name, start=start), nan=0.0)
    is_flag = (values == 0) | (values == 1)
    if not is_flag.all():
        row = start + int(np.argmin(is_flag)) + 1
        raise MappingInvalidError(
            f"The column {shown(name)} should hold true and false, or 0 and 1, row {row:,} does "
            "not; a quality of redshifts is mapped as 'z_quality'.",
            where=name,
        )
    return values == 1


def _first_fault(column: pa.Array, convert: Callable[[pa.Array], pa.Array]) -> int:
    """Index of the first value that ``convert`` refuses, by halving."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            convert(column.slice(low, middle - low))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            high = middle
        else:
            low = middle
    return low
