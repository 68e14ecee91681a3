"""Cells of redshift, on which distributions of samples are estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray

__all__ = ["RedshiftCells"]

N_CELLS = 60
"""Cells that cover the redshift grid at least."""
CELL_WIDTH = 0.05
"""Width of each on a longer grid: wide enough that counts in them mean something."""
SMOOTHING = 0.06
"""Width over which residuals of labelled galaxies are smoothed, in units of 1 + z."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedshiftCells:
    """Equal cells that cover a redshift grid."""

    edges: FloatArray
    """``(n_cells + 1,)``, ascending."""
    centres: FloatArray
    """Middle of each cell, ``(n_cells,)``."""
    overlap: FloatArray
    """Width that each node of the grid and each cell share, ``(n_grid, n_cells)``."""
    kernel: FloatArray
    """Smoothing, ``(n_cells, n_cells)``; a column spreads one galaxy and sums to one."""

    @classmethod
    def cover(cls, z_grid: FloatArray) -> RedshiftCells:
        """Cells of the equidistant grid ``z_grid`` ``(n_grid,)``, never finer than it."""
        wanted = max(N_CELLS, round((z_grid[-1] - z_grid[0]) / CELL_WIDTH))
        n_cells = min(wanted, len(z_grid) - 1)
        edges = np.linspace(z_grid[0], z_grid[-1], n_cells + 1)
        centres = 0.5 * (edges[1:] + edges[:-1])
        half = 0.5 * (z_grid[1] - z_grid[0])
        low = np.maximum(z_grid - half, z_grid[0])[:, None]
        high = np.minimum(z_grid + half, z_grid[-1])[:, None]
        shared = np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1])
        kernel = np.exp(-0.5 * ((centres[:, None] - centres) / (SMOOTHING * (1 + centres))) ** 2)
        return cls(
            edges=edges,
            centres=centres,
            overlap=np.maximum(shared, 0),
            kernel=kernel / kernel.sum(axis=0),
        )

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.edges) - 1

    @property
    def width(self) -> float:
        """Width of each cell."""
        return float(self.edges[1] - self.edges[0])

    def index(self, z: FloatArray) -> IntArray:
        """Cell of each redshift, ``(n_galaxies,)``; those beyond the grid are in the last."""
        return np.clip(np.searchsorted(self.edges, z, side="right") - 1, 0, self.n_cells - 1)

    def probabilities(self, pdf: FloatArray) -> FloatArray:
        """Probability of each cell, ``(n_galaxies, n_cells)``; rows sum to one.

        ``pdf`` is ``(n_galaxies, n_grid)`` on the grid that the cells cover.
        """
        found = pdf @ self.overlap.astype(pdf.dtype)
        return found / found.sum(axis=1, keepdims=True)

    def tilted(self, probability: FloatArray, slope: float) -> FloatArray:
        """Rows of ``probability`` times ``exp(slope z)``, normalised again."""
        if slope == 0:
            return probability
        exponent = slope * self.centres
        found = probability * np.exp(exponent - exponent.max()) + 1e-30
        return found / found.sum(axis=1, keepdims=True)
