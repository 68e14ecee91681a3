"""Which rows pass a cut on the quality of redshifts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hbmlc_models.arrays import BoolArray
from hbmlc_models.formats._columns import TRUE_WORDS, booleans, is_text, numbers, plain
from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.quality_cut import QualityCut

__all__ = ["passes"]

_ROUNDING = 1e-6
"""Relative distance at which two numbers are one: 4.1 in single precision is another number."""


def passes(column: pa.Array, cut: QualityCut, *, start: int) -> BoolArray:
    """Whether each row passes, ``(n,)``; without a quality it does not; ``start`` rows came before.

    Flags are compared as such, texts without case and blanks, all else as numbers.
    """
    wanted = [*cut.among, *([] if cut.equal is None else [cut.equal])]
    held = plain(column, cut.column)
    if cut.min is None and cut.max is None:
        if pa.types.is_boolean(held.type) or any(isinstance(value, bool) for value in wanted):
            return _flags(held, [str(value).strip().lower() for value in wanted], cut, start=start)
        if is_text(held.type):
            return _texts(held, [str(value).strip().lower() for value in wanted])
    values = numbers(column, cut.column, start=start)
    is_fine = np.isfinite(values)
    if cut.min is not None:
        is_fine &= values >= cut.min - _ROUNDING * abs(cut.min)
    if cut.max is not None:
        is_fine &= values <= cut.max + _ROUNDING * abs(cut.max)
    if wanted:
        known = np.asarray([_number(value) for value in wanted], dtype=np.float64)
        is_fine &= np.isclose(values[:, None], known, rtol=_ROUNDING).any(axis=1)
    return is_fine


def _flags(column: pa.Array, wanted: list[str], cut: QualityCut, *, start: int) -> BoolArray:
    """Rows whose flag is wanted, however the format writes it; without a value it is no answer."""
    is_given = np.asarray(column.is_valid())
    flags = booleans(column, cut.column, start=start)
    return is_given & np.isin(flags, [value in TRUE_WORDS for value in wanted])


def _texts(column: pa.Array, wanted: list[str]) -> BoolArray:
    """Rows whose text is wanted, case and blanks aside; numbers are compared as such."""
    lowered = pc.utf8_lower(pc.utf8_trim_whitespace(column))
    distinct = pc.unique(lowered).to_pylist()
    keys = {_key(value) for value in wanted}
    fitting = [text for text in distinct if text is not None and _key(text) in keys]
    found = pc.fill_null(pc.is_in(lowered, pa.array(fitting, pa.string())), fill_value=False)
    return np.array(found.to_numpy(zero_copy_only=False), dtype=bool)


def _key(text: str) -> str | float:
    """What is compared: a number where the text is one, else itself."""
    number = _number(text)
    return text if np.isnan(number) else number


def _number(value: float | str) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")
