"""Densities of redshift on a grid, and the numbers that are read off them.

Rows of ``pdf`` are heights on the nodes of an equidistant ``z_grid`` ``(n_grid,)``, linear in
between, that integrate to one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.expected_loss import BIAS_PRICE, least_loss
from hbmlc_models.metrics import cdf_on_grid

__all__ = ["PointEstimates", "normalise", "point_estimates", "quantile_rows"]

ODDS_HALF_WIDTH = 0.06
"""Half width of the interval of ``odds``, in units of 1 + z; Benítez 2000 (ApJ 536, 571)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointEstimates:
    """Numbers read off densities; all ``(n_galaxies,)``."""

    best: FloatArray
    """Redshift of least expected loss: the recommended point estimate."""
    mode: FloatArray
    """Highest node."""
    mean: FloatArray
    """Mean."""
    std: FloatArray
    """Standard deviation."""
    quantiles: FloatArray
    """Exact quantiles at 2.5, 16, 50, 84 and 97.5 per cent, ``(n_galaxies, 5)``."""
    odds: FloatArray
    """Probability within ±0.06 (1+z) of the mode."""


def normalise(heights: FloatArray, z_grid: FloatArray) -> FloatArray:
    """Heights ``(n_galaxies, n_grid)`` scaled so that the trapezium rule gives one."""
    step = z_grid[1] - z_grid[0]
    total = heights.sum(axis=1) - 0.5 * (heights[:, 0] + heights[:, -1])
    return heights / (step * total[:, None])


def quantile_rows(pdf: FloatArray, z_grid: FloatArray, levels: FloatArray) -> FloatArray:
    """Quantiles of each row at ``levels`` ``(n_levels,)``, ``(n_galaxies, n_levels)``."""
    cdf = cdf_on_grid(pdf, z_grid)
    rows = np.arange(len(cdf))
    found = np.empty((len(cdf), len(levels)))
    for column, level in enumerate(levels):
        right = np.clip((cdf < level).sum(axis=1), 1, len(z_grid) - 1)
        low, high = cdf[rows, right - 1], cdf[rows, right]
        share = np.clip((level - low) / np.maximum(high - low, 1e-300), 0, 1)
        found[:, column] = z_grid[right - 1] + share * (z_grid[right] - z_grid[right - 1])
    return found


def point_estimates(
    pdf: FloatArray, z_grid: FloatArray, *, price: float = BIAS_PRICE
) -> PointEstimates:
    """Read the point estimates off ``pdf`` ``(n_galaxies, n_grid)``.

    ``price`` is what the best estimate pays for being too low (see ``expected_loss``).
    """
    weight = pdf / pdf.sum(axis=1, keepdims=True)
    mean = weight @ z_grid
    std = np.sqrt(np.maximum(weight @ z_grid**2 - mean**2, 0))
    mode = z_grid[pdf.argmax(axis=1)]
    cdf = cdf_on_grid(pdf, z_grid)
    half = ODDS_HALF_WIDTH * (1 + mode)
    return PointEstimates(
        best=least_loss(pdf, z_grid, price=price).z,
        mode=mode,
        mean=mean,
        std=std,
        quantiles=quantile_rows(pdf, z_grid, np.array([0.025, 0.16, 0.5, 0.84, 0.975])),
        odds=_cdf_at(cdf, z_grid, mode + half) - _cdf_at(cdf, z_grid, mode - half),
    )


def _cdf_at(cdf: FloatArray, z_grid: FloatArray, z: FloatArray) -> FloatArray:
    """Row-wise linear interpolation of ``cdf`` at one redshift each, ``(n_galaxies,)``."""
    position = np.clip((z - z_grid[0]) / (z_grid[1] - z_grid[0]), 0, len(z_grid) - 1 - 1e-9)
    left = position.astype(int)
    rows = np.arange(len(cdf))
    share = position - left
    return cdf[rows, left] * (1 - share) + cdf[rows, left + 1] * share
