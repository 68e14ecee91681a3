r"""One density from two: the selection posterior and the network's, pooled by evidence.

.. math:: p(z) = (1 - w)\, p_\mathrm{selection}(z) + w\, p_\mathrm{network}(z)

A linear pool never rules out what one of its parts allows. The weight maximises the score of
held-out labelled galaxies that were dimmed, re-observed and weighted to look like the unlabelled
sky; a prior keeps it near a third where those are few.
"""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["PRIOR_WEIGHT", "fit_pool_weight", "pool"]

PRIOR_WEIGHT = 0.35
"""Share of the network before any evidence: the best constant on simulated surveys."""
PRIOR_STRENGTH = 30.0
"""Strength of that prior, in held-out galaxies."""
N_ITERATIONS = 200
"""EM steps; the objective is concave in one number, so this converges."""


def fit_pool_weight(
    selection_density: FloatArray,
    network_density: FloatArray,
    weight: FloatArray,
    *,
    n_independent: int,
) -> float:
    """Share of the network that maximises the weighted log score of held-out galaxies.

    Densities of the two parts at the true redshifts and the galaxies' weights are ``(n_held,)``;
    ``n_independent`` counts the distinct galaxies behind them.
    """
    if n_independent == 0:
        return PRIOR_WEIGHT
    galaxies = n_independent * weight / weight.sum()
    share = PRIOR_WEIGHT
    for _ in range(N_ITERATIONS):
        network = share * network_density
        total = network + (1 - share) * selection_density
        responsibility = network / np.maximum(total, 1e-300)
        found = (galaxies * responsibility).sum() + PRIOR_STRENGTH * PRIOR_WEIGHT
        share = float(found / (n_independent + PRIOR_STRENGTH))
    return share


def pool(selection_pdf: FloatArray, network_pdf: FloatArray, share: float) -> FloatArray:
    """Linear pool of two densities ``(n_galaxies, n_grid)``; ``share`` is the network's."""
    return (1 - share) * selection_pdf + share * network_pdf
