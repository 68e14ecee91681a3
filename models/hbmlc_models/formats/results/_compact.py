"""A short form of p(z): quantiles."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from hbmlc_models.arrays import FloatArray
from hbmlc_models.metrics import cdf_on_grid

__all__ = ["PROBABILITIES", "quantiles"]

PROBABILITIES = np.concatenate([[0.0], norm.cdf(np.linspace(-3.2, 3.2, 32)), [1.0]])
"""Probabilities of the quantiles: 34 numbers of four bytes, 136 bytes an object.

Evenly spaced in the deviates of a normal density, so that its quantiles are evenly spaced: qp draws
splines through them, which ring where steps change suddenly.
"""
_LEAST_STEP = 4e-6
"""Quantiles must rise strictly for a density to exist; a few float32 steps at z = 3."""
_CHUNK_ROWS = 8192


def quantiles(pdf: FloatArray, z_grid: FloatArray) -> FloatArray:
    """Quantiles of ``pdf`` ``(n, n_grid)`` at ``PROBABILITIES``, ``(n, n_quantiles)``, rising."""
    found = np.empty((len(pdf), len(PROBABILITIES)), dtype=np.float64)
    for start in range(0, len(pdf), _CHUNK_ROWS):
        rows = slice(start, start + _CHUNK_ROWS)
        found[rows] = _invert(cdf_on_grid(np.asarray(pdf[rows], dtype=np.float64), z_grid), z_grid)
    # The true ends are those of the grid, a long way off for the same splines.
    found[:, 0] = np.maximum(found[:, 0], 2 * found[:, 1] - found[:, 2])
    found[:, -1] = np.minimum(found[:, -1], 2 * found[:, -2] - found[:, -3])
    steps = _LEAST_STEP * np.arange(len(PROBABILITIES))
    return np.maximum.accumulate(found - steps, axis=1) + steps


def _invert(cdf: FloatArray, z_grid: FloatArray) -> FloatArray:
    """Redshifts at which rows of ``cdf`` reach the probabilities, linear between nodes."""
    row = np.arange(len(cdf))
    found = np.empty((len(cdf), len(PROBABILITIES)))
    for k, probability in enumerate(PROBABILITIES):
        # The first quantile is the last node without probability, not the first node of the grid.
        side = cdf <= probability if k == 0 else cdf < probability
        right = np.clip(side.sum(axis=1), 1, len(z_grid) - 1)
        low, high = cdf[row, right - 1], cdf[row, right]
        share = np.clip((probability - low) / np.maximum(high - low, 1e-300), 0, 1)
        found[:, k] = z_grid[right - 1] + share * (z_grid[right] - z_grid[right - 1])
    return found
