"""Optional columns, morphology, environment and observing conditions, on a scale without units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["CONDITIONS", "CONTEXT", "ContextScale", "fit_context"]

CONTEXT = ("size", "ellipticity", "concentration", "density", "depth", "seeing")
"""Optional columns that the selection and the network use when they are there.

Depth and seeing have one column for each band, ``depth_<band>`` and ``seeing_<band>``; the others
are the same in all bands.
"""
CONDITIONS = [CONTEXT.index("depth"), CONTEXT.index("seeing")]
"""Those that belong to the observation, not to the galaxy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextScale:
    """Centre and spread of the optional columns, so that their unit does not matter."""

    bands: tuple[str, ...]
    """Band names in order of wavelength."""
    centre: FloatArray
    """Median of each entry of ``CONTEXT`` by band, ``(n_context, n_bands)``; NaN where absent."""
    spread: FloatArray
    """Half its central 68 % range, positive, ``(n_context, n_bands)``."""

    def scores(self, extras: Mapping[str, FloatArray], n_galaxies: int) -> FloatArray:
        """Standard scores squeezed to ±3, ``(n_galaxies, n_context, n_bands)``; zero: absent."""
        scores = np.zeros((n_galaxies, len(CONTEXT), len(self.bands)))
        for row, name in enumerate(CONTEXT):
            for place, band in enumerate(self.bands):
                values = _column(extras, name, band)
                if values is not None and np.isfinite(self.centre[row, place]):
                    score = (values - self.centre[row, place]) / self.spread[row, place]
                    scores[:, row, place] = np.nan_to_num(np.clip(score, -3, 3), nan=0.0)
        return scores


def fit_context(extras: Mapping[str, FloatArray], bands: tuple[str, ...]) -> ContextScale:
    """Scale of the optional columns of a sample, each ``(n_galaxies,)``."""
    centre = np.full((len(CONTEXT), len(bands)), np.nan)
    spread = np.ones((len(CONTEXT), len(bands)))
    for row, name in enumerate(CONTEXT):
        for place, band in enumerate(bands):
            values = _column(extras, name, band)
            finite = values[np.isfinite(values)] if values is not None else np.empty(0)
            if len(finite):
                low, centre[row, place], high = np.quantile(finite, [0.16, 0.5, 0.84])
                spread[row, place] = max((high - low) / 2, 1e-9)
    return ContextScale(bands=bands, centre=centre, spread=spread)


def _column(extras: Mapping[str, FloatArray], name: str, band: str) -> FloatArray | None:
    """Column of a galaxy, or of its observation in one band."""
    return extras.get(name, extras.get(f"{name}_{band}"))
