"""The first rows of the columns that matter: what names alone cannot tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.formats._columns import numbers
from hbmlc_models.formats.errors import ColumnError
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.normalise import NON_DETECTION
from hbmlc_models.formats.readers import SourceTable

__all__ = ["Look", "look_at"]

_LOOK_BYTES = 32 * 2**20
"""What the first rows of all columns that are looked at may take."""
_MAX_ROWS = 65_536
_MIN_ROWS = 256
_ABSURD = 1e18
"""Magnitudes, fluxes and redshifts beyond this are fill values (astropy writes 1e20)."""


@dataclass(frozen=True, slots=True)
class Look:
    """Values of the first rows, by column; those that are no numbers are missing."""

    columns: Mapping[str, FloatArray]
    """``(n_rows,)`` each; NaN where there is nothing or a fill value."""

    def values(self, column: str | None) -> FloatArray:
        """Finite values of a column, without those that say "none"; empty where it has none."""
        held = self.columns.get(column or "")
        if held is None:
            return np.empty(0)
        return held[np.isfinite(held) & (held > -NON_DETECTION)]

    def has_values(self, column: str) -> bool:
        """Whether a column has usable values, or was not looked at."""
        return column not in self.columns or len(self.values(column)) > 0

    def pairs(self, *columns: str) -> tuple[FloatArray, ...]:
        """Values of several columns in rows where all are finite; empty where one is missing."""
        held = [self.columns.get(column) for column in columns]
        if any(values is None for values in held):
            return tuple(np.empty(0) for _ in columns)
        stacked = np.stack([values for values in held if values is not None])
        return tuple(stacked[:, np.isfinite(stacked).all(axis=0)])


def look_at(table: SourceTable, columns: Iterable[str], limits: IngestLimits) -> Look:
    """Read the first rows of ``columns``; such as hold no numbers are left out."""
    wanted = [name for name in dict.fromkeys(columns) if name in table.columns]
    if not wanted:
        return Look({})
    size = min(_MAX_ROWS, limits.batch_rows, _LOOK_BYTES // (8 * len(wanted)))
    found: dict[str, FloatArray] = {}
    for batch in table.batches(wanted, size=max(_MIN_ROWS, size)):
        for name in wanted:
            try:
                values = numbers(batch[name], name)
            except ColumnError:
                continue
            found[name] = np.where(np.abs(values) < _ABSURD, values, np.nan)
        break
    return Look(found)
