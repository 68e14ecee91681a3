"""Tomographic bins: intervals of the point estimate that hold equally many galaxies."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray

__all__ = ["N_BINS", "bin_of", "count_estimates", "equal_count_edges"]

N_BINS = 5
"""Tomographic bins, where the catalogue has estimates enough to tell them apart."""


def count_estimates(z_phot: FloatArray, z_grid: FloatArray) -> IntArray:
    """How many estimates fall on each node of the grid, ``(n_grid,)``; add those of all tiles."""
    step = z_grid[1] - z_grid[0]
    node = np.clip(np.rint((z_phot - z_grid[0]) / step).astype(int), 0, len(z_grid) - 1)
    return np.bincount(node, minlength=len(z_grid))


def equal_count_edges(count: IntArray, z_grid: FloatArray, n_bins: int = N_BINS) -> FloatArray:
    """Edges of at most ``n_bins`` intervals with equal shares of ``count`` ``(n_grid,)``.

    An edge lies half-way between two nodes, so that no estimate lies on it; there are fewer bins
    where many estimates share a node.
    """
    middle = 0.5 * (z_grid[1:] + z_grid[:-1])
    below = np.cumsum(count)[:-1]
    wanted = count.sum() * np.arange(1, n_bins) / n_bins
    inner = np.unique(middle[np.abs(below[:, None] - wanted).argmin(axis=0)])
    edges = np.concatenate([[z_grid[0]], inner, [z_grid[-1]]])
    filled = np.histogram(z_grid, edges, weights=count)[0] > 0
    # An empty bin joins the one below it, the first one the one above.
    kept = np.flatnonzero(filled)
    return edges[[0, *kept[1:], len(edges) - 1]] if len(kept) else edges[[0, -1]]


def bin_of(z_phot: FloatArray, edges: FloatArray) -> IntArray:
    """Bin of each estimate, ``(n_galaxies,)``."""
    return np.searchsorted(edges[1:-1], z_phot, side="right")
