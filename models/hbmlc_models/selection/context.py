"""Optional columns, morphology and environment, on a scale without units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["CONTEXT", "ContextScale", "fit_context"]

CONTEXT = ("size", "ellipticity", "concentration", "density")
"""Optional columns that the selection and the network use when they are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextScale:
    """Centre and spread of the optional columns, so that their unit does not matter."""

    centre: FloatArray
    """Median of each entry of ``CONTEXT``, ``(n_context,)``; NaN where the survey lacks it."""
    spread: FloatArray
    """Half its central 68 % range, positive, ``(n_context,)``."""

    def scores(self, extras: Mapping[str, FloatArray], n_galaxies: int) -> FloatArray:
        """Standard scores squeezed to ±3, ``(n_galaxies, n_context)``; zero where absent."""
        scores = np.zeros((n_galaxies, len(CONTEXT)))
        for column, name in enumerate(CONTEXT):
            if name in extras and np.isfinite(self.centre[column]):
                score = (extras[name] - self.centre[column]) / self.spread[column]
                scores[:, column] = np.nan_to_num(np.clip(score, -3, 3), nan=0.0)
        return scores


def fit_context(extras: Mapping[str, FloatArray]) -> ContextScale:
    """Scale of the optional columns of a sample, each ``(n_galaxies,)``."""
    centre = np.full(len(CONTEXT), np.nan)
    spread = np.ones(len(CONTEXT))
    for column, name in enumerate(CONTEXT):
        values = extras.get(name, np.empty(0))
        finite = values[np.isfinite(values)]
        if len(finite):
            low, centre[column], high = np.quantile(finite, [0.16, 0.5, 0.84])
            spread[column] = max((high - low) / 2, 1e-9)
    return ContextScale(centre=centre, spread=spread)
