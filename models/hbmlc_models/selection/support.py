"""How near the labelled galaxies are to a galaxy in photometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from hbmlc_models.arrays import FloatArray

__all__ = ["SupportMap", "fit_support"]

N_NEIGHBOURS = 5
"""The distance to this neighbour measures the local density."""
MAX_REFERENCE = 4_000
"""Labelled galaxies that are kept for comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportMap:
    """Labelled galaxies in the basis of the selection, to measure distances from."""

    points: FloatArray
    """Basis values of the (dimmed) labelled galaxies, ``(n_points, n_basis)``."""
    scale: float
    """Typical distance among them."""

    def __call__(self, basis: FloatArray) -> FloatArray:
        """Support of galaxies at ``basis`` ``(n_galaxies, n_basis)``: 1 amid labels, 0 far away."""
        if len(self.points) == 0:
            return np.zeros(len(basis))
        distance = _neighbour_distance(KDTree(self.points), basis)
        return np.exp(-0.5 * np.maximum(distance / self.scale - 1, 0) ** 2)


def fit_support(basis: FloatArray, rng: np.random.Generator) -> SupportMap:
    """Support map of labelled galaxies at ``basis`` ``(n_labelled, n_basis)``."""
    points = basis[rng.permutation(len(basis))[:MAX_REFERENCE]]
    if len(points) < 2:  # noqa: PLR2004 - one point has no neighbour
        return SupportMap(points=points, scale=1.0)
    # The point itself is its own first neighbour, hence one more.
    distance = _neighbour_distance(KDTree(points), points, extra=1)
    return SupportMap(points=points, scale=max(float(np.quantile(distance, 0.84)), 1e-6))


def _neighbour_distance(tree: KDTree, basis: FloatArray, *, extra: int = 0) -> FloatArray:
    """Distance to the fifth neighbour, or to the farthest where there are fewer."""
    k = min(N_NEIGHBOURS + extra, tree.n)
    distances = np.asarray(tree.query(basis, k=k)[0]).reshape(len(basis), k)
    return distances[:, -1]
