"""What follows for each galaxy under the model as first published."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, softmax

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.curve import Curve
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.posterior import Propensity, TilePosterior
from hbmlc_models.thinning import evenly

__all__ = ["seed_posterior"]

CHUNK = 1024
"""Galaxies judged at once."""
N_DRAWS = 40
"""Posterior draws that are averaged over."""


def seed_posterior(
    photometry: Photometry,
    basis: FloatArray,
    is_selected: BoolArray,
    *,
    frame: LuptitudeFrame,
    curve: Curve,
    posterior: TilePosterior,
    z_grid: FloatArray,
) -> tuple[FloatArray, Propensity]:
    """Densities p(z | F, S), ``(n_galaxies, n_grid)`` with rows of sum one, and p(S=1 | F).

    ``basis`` is ``(n_galaxies, n_basis)``; ``is_selected`` ``(n_galaxies,)`` is the S that each
    galaxy is conditioned on.
    """
    density = np.empty((photometry.n_galaxies, len(z_grid)))
    sums = np.zeros((2, photometry.n_galaxies))
    mu_z, sigma_z = posterior.normal_redshifts()
    draws = evenly(len(posterior.beta), N_DRAWS)
    for start in range(0, photometry.n_galaxies, CHUNK):
        rows = np.arange(start, min(start + CHUNK, photometry.n_galaxies))
        values, errors = frame.luptitudes(photometry.take(rows))
        log_likelihood = curve.log_likelihood(values, errors, z_grid)
        total = np.zeros(log_likelihood.shape)
        for draw in draws:
            score = (z_grid - mu_z[draw]) / sigma_z[draw]
            population = softmax(log_likelihood - 0.5 * score**2, axis=1)
            linear = basis[rows] @ posterior.alpha[draw] + posterior.gamma[draw]
            selected = expit(linear[:, None] + posterior.beta[draw] * z_grid)
            likely = (population * selected).sum(axis=1)
            sums[:, rows] += likely, likely**2
            chance = np.where(is_selected[rows, None], selected, 1 - selected) + 1e-12
            joint = population * chance
            total += joint / joint.sum(axis=1, keepdims=True)
        density[rows] = total / len(draws)
    return density, Propensity.from_sums(sums[0], sums[1], len(draws))
