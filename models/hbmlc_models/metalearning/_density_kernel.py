"""Compiled p(z) of the network's mixture: a galaxy at a time, microseconds matter here."""

from __future__ import annotations

import numpy as np
from numba import prange

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection._compiled import compiled
from hbmlc_models.selection._gaussians import add_gaussian, finish_density, in_blocks

__all__ = ["density_of_outputs"]

_REACH = 7.0
"""Scales from its centre where a component ends: 2e-11 of its peak."""


@compiled(parallel=True)
def density_of_outputs(
    log_weights: FloatArray,
    means: FloatArray,
    scales: FloatArray,
    log1p_z: FloatArray,
) -> FloatArray:
    """p(z) on nodes ``log1p_z`` ``(n_grid,)``, ``(n_galaxies, n_grid)``; each row sums to one.

    The first three are ``(n_galaxies, n_components)``.
    """
    n_galaxies, n_components = means.shape
    nodes, starts = in_blocks(log1p_z)
    answer = np.empty((n_galaxies, len(log1p_z)))
    for galaxy in prange(n_galaxies):
        density = np.zeros(len(nodes), np.float32)
        for k in range(n_components):
            scale = scales[galaxy, k]
            height = np.exp(min(log_weights[galaxy, k], 0.0)) / scale
            add_gaussian(height, means[galaxy, k], scale, _REACH, nodes, starts, density)
        finish_density(density, nodes, answer[galaxy])
    return answer
