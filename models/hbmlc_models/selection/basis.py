"""Φ(F): radial basis functions of the photometry, in which the selection is linear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.context import ContextScale, fit_context
from hbmlc_models.selection.frame import LuptitudeFrame

__all__ = ["RadialBasis", "fit_basis"]

N_CENTRES = 10
"""Radial functions; with the linear terms they resolve a magnitude limit and a colour cut."""
SAME = 1e-9
"""Where no function varies by more all galaxies are alike, and there is nothing to decorrelate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RadialBasis:
    """Radial functions around centres, plus linear terms, decorrelated over the survey."""

    centre: FloatArray
    """Median of the raw features, ``(n_features,)``."""
    spread: FloatArray
    """Their robust spread, ``(n_features,)``."""
    knots: FloatArray
    """Centres of the radial functions in standard scores, ``(n_centres, n_features)``."""
    width: float
    """Common width of the radial functions."""
    mean: FloatArray
    """Mean of the functions over the survey, ``(n_functions,)``."""
    whitening: FloatArray
    """Map to decorrelated functions of unit variance, ``(n_functions, n_basis)``."""
    context: ContextScale
    """Scale of the optional columns."""

    def __call__(
        self, photometry: Photometry, frame: LuptitudeFrame, extras: Mapping[str, FloatArray]
    ) -> FloatArray:
        """Basis values, ``(n_galaxies, n_basis)``."""
        raw = frame.colours(photometry)
        score = np.nan_to_num(np.clip((raw - self.centre) / self.spread, -4, 4), nan=0.0)
        functions = _functions(score, self.knots, self.width)
        context = self.context.scores(extras, len(raw)).mean(axis=2)
        return (np.column_stack([functions, context]) - self.mean) @ self.whitening


def _functions(score: FloatArray, knots: FloatArray, width: float) -> FloatArray:
    """Linear terms and radial functions, ``(n_galaxies, n_features + n_centres)``."""
    radial = np.exp(-0.5 * cdist(score, knots, "sqeuclidean") / width**2)
    return np.column_stack([score, radial])


def fit_basis(
    photometry: Photometry, frame: LuptitudeFrame, extras: Mapping[str, FloatArray], *, seed: int
) -> RadialBasis:
    """Basis whose centres follow the galaxies of a survey."""
    raw = frame.colours(photometry)
    filled = np.where(np.isfinite(raw).any(axis=0), raw, 0.0)
    low, centre, high = np.nanquantile(filled, [0.16, 0.5, 0.84], axis=0)
    spread = np.maximum((high - low) / 2, 1e-3)
    score = np.nan_to_num(np.clip((raw - centre) / spread, -4, 4), nan=0.0)
    n_centres = min(N_CENTRES, len(np.unique(score, axis=0)))
    # The number of threads decides the last bits of a centre.
    with threadpool_limits(1):
        knots = KMeans(n_centres, n_init="auto", random_state=seed).fit(score).cluster_centers_
    distances = cdist(knots, knots)
    width = float(np.median(distances[distances > 0])) if n_centres > 1 else 1.0
    context = fit_context(extras, frame.bands)
    optional = context.scores(extras, len(raw)).mean(axis=2)
    functions = np.column_stack([_functions(score, knots, width), optional])
    mean = functions.mean(axis=0)
    _, singular, rows = np.linalg.svd(functions - mean, full_matrices=False)
    scale = singular / np.sqrt(len(functions))
    if scale[0] < SAME:
        scale = np.ones(len(scale))
    keep = scale > 1e-2 * scale[0]
    return RadialBasis(
        # Laid out as they are read back: the layout decides the last bits of a product.
        centre=np.ascontiguousarray(centre),
        spread=spread,
        knots=knots,
        width=width,
        mean=mean,
        whitening=np.ascontiguousarray(rows[keep].T / scale[keep]),
        context=context,
    )
