"""Which rows pass a cut on the quality of redshifts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hbmlc_models.arrays import BoolArray
from hbmlc_models.formats._columns import booleans, is_text, numbers, plain
from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.mapping import QualityCut

__all__ = ["passes"]


def passes(column: pa.Array, cut: QualityCut, *, start: int) -> BoolArray:
    """Whether each row passes, ``(n,)``; without a quality it does not; ``start`` rows came before.

    A text that is asked for is compared with texts, case and blanks aside; all else as numbers.
    """
    wanted = [*cut.among, *([] if cut.equal is None else [cut.equal])]
    is_free = cut.min is None and cut.max is None
    if is_free and any(isinstance(value, bool) for value in wanted):
        # A flag, however the format writes it; without a value it is no answer.
        is_given = np.asarray(plain(column, cut.column).is_valid())
        flags = booleans(column, cut.column, start=start)
        return is_given & np.isin(flags, [bool(value) for value in wanted])
    if is_free and any(isinstance(value, str) for value in wanted):
        held = plain(column, cut.column)
        if not is_text(held.type):
            held = held.cast(pa.string())
        lowered = pc.utf8_lower(pc.utf8_trim_whitespace(held))
        found = pc.is_in(lowered, pa.array([str(value).strip().lower() for value in wanted]))
        return np.array(
            pc.fill_null(found, fill_value=False).to_numpy(zero_copy_only=False), dtype=bool
        )
    values = numbers(column, cut.column, start=start)
    is_fine = np.isfinite(values)
    if cut.min is not None:
        is_fine &= values >= cut.min
    if cut.max is not None:
        is_fine &= values <= cut.max
    if wanted:
        is_fine &= np.isin(values, [float(value) for value in wanted])
    return is_fine
