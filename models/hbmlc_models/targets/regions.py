"""Regions of photometry: cells of like size in brightness and colours.

Cells that adapt to the density of galaxies, as those of k-means or of a self-organising map do,
hold about as many galaxies each; here their number has to say how many are like one another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray

__all__ = ["PhotometryRegions", "fit_regions"]

N_REGIONS = 512
"""Regions at most."""
MIN_MEMBERS = 16
"""Galaxies of the sample that a region needs on average."""
MAX_SCORE = 2.0
"""Standard scores bend towards this, so that bad fluxes do not have most regions of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotometryRegions:
    """Voronoi cells in bent standard scores of brightness and colours."""

    middle: FloatArray
    """Median of each feature, ``(n_features,)``."""
    spread: FloatArray
    """Half its central 68 % range, ``(n_features,)``."""
    centres: FloatArray
    """Centres of the regions, ``(n_regions, n_features)``."""

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.centres)

    def of(self, features: FloatArray) -> IntArray:
        """Region of galaxies with ``features`` ``(n_galaxies, n_features)``; NaN: typical."""
        return _nearest(_scores(features, self.middle, self.spread), self.centres)


def fit_regions(features: FloatArray) -> PhotometryRegions:
    """Regions around galaxies of a random sample that are as far from one another as can be.

    ``features`` is ``(n_sample, n_features)``; NaN where not observed. Each centre is the galaxy
    farthest from all before it (Gonzalez 1985, Theor. Comput. Sci. 38, 293).
    """
    known = np.where(np.isfinite(features).any(axis=0), features, 0.0)
    low, middle, high = np.nanquantile(known, [0.16, 0.5, 0.84], axis=0)
    spread = np.maximum((high - low) / 2, 1e-3)
    scores = _scores(features, middle, spread)
    n_regions = int(np.clip(len(scores) // MIN_MEMBERS, 1, N_REGIONS))
    size = (scores**2).sum(axis=1)
    chosen = [int(size.argmin())]
    distance = np.full(len(scores), np.inf)
    while len(chosen) < n_regions:
        last = chosen[-1]
        distance = np.minimum(distance, size + size[last] - 2 * scores @ scores[last])
        chosen.append(int(distance.argmax()))
    return PhotometryRegions(middle=middle, spread=spread, centres=scores[chosen])


def _scores(features: FloatArray, middle: FloatArray, spread: FloatArray) -> FloatArray:
    """Bent standard scores, 0 where not observed."""
    scores = MAX_SCORE * np.tanh((features - middle) / spread / MAX_SCORE)
    return np.nan_to_num(scores, nan=0.0)


def _nearest(scores: FloatArray, centres: FloatArray) -> IntArray:
    """Nearest centre of each galaxy, ``(n_galaxies,)``."""
    # The square of the galaxy's own score is the same for all centres.
    closeness = scores @ centres.T - 0.5 * (centres**2).sum(axis=1)
    return closeness.argmax(axis=1)
