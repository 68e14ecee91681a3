r"""The part that physics has in a population: a shipped mixture next to the one learnt from labels.

Where no label is near, dimmed copies of others stand for galaxies that they are not. A population
simulated through the same filters knows such galaxies, if less exactly. How much of the sky it is
needed for is read off the unlabelled photometry alone,

.. math:: p(F) = (1 - w)\,p_\mathrm{learnt}(F) + w \sum_k \pi_k\,p_k(F),

by expectation maximisation over the share :math:`w` and the shipped weights :math:`\pi_k`; the
learnt part stays as it is.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logsumexp

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry, flux_from_luptitude
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture

__all__ = ["draw_galaxies", "marginal", "shipped_part"]

INITIAL_SHARE = 0.05
"""Share of the shipped population before any evidence."""
SHARE_STRENGTH = 50.0
"""Strength of that prior, in galaxies."""
SHIPPED_STRENGTH = 3_000.0
"""Weight of the shipped population's own proportions when all of the sky is its, in galaxies."""
N_ITERATIONS = 150
"""EM steps."""
NOISELESS = 1e-3
"""Flux errors of drawn galaxies, in units of the typical noise."""


def marginal(population: Mixture, bands: tuple[str, ...], wanted: tuple[str, ...]) -> Mixture:
    """Population of the bands ``wanted``, all of them among its ``bands``."""
    keep = np.array([0, *(1 + bands.index(band) for band in wanted)])
    return Mixture(
        weights=population.weights,
        means=population.means[:, keep],
        covariances=population.covariances[:, keep[:, None], keep],
    )


def shipped_part(
    learnt: Mixture, shipped: Mixture, sky: tuple[FloatArray, FloatArray]
) -> tuple[Mixture, float]:
    """Shipped population in the proportions that the sky needs it for, and its share of the sky.

    ``sky`` holds luptitudes and errors of unlabelled galaxies, both ``(n_galaxies, n_bands)``.
    """
    evidence = learnt.evaluate(*sky).log_likelihood
    log_learnt = np.asarray(logsumexp(evidence + _log(learnt.weights), axis=1))
    by_component = shipped.evaluate(*sky).log_likelihood
    weights, share = shipped.weights.copy(), INITIAL_SHARE
    for _ in range(N_ITERATIONS):
        joint = by_component + _log(weights)
        log_shipped = np.asarray(logsumexp(joint, axis=1))
        belongs = expit(log_shipped - log_learnt + np.log(share / (1 - share)))
        counts = (np.exp(joint - log_shipped[:, None]) * belongs[:, None]).sum(axis=0)
        prior = SHIPPED_STRENGTH * share
        weights = (counts + prior * shipped.weights) / (counts.sum() + prior)
        found = belongs.sum() + SHARE_STRENGTH * INITIAL_SHARE
        share = float(found / (len(belongs) + SHARE_STRENGTH))
    part = Mixture(weights=weights, means=shipped.means, covariances=shipped.covariances)
    return part, share


def draw_galaxies(
    population: Mixture, n_galaxies: int, frame: LuptitudeFrame, rng: np.random.Generator
) -> tuple[Photometry, FloatArray]:
    """Galaxies of a population, next to free of noise, and their redshifts ``(n_galaxies,)``."""
    component = rng.choice(len(population.weights), n_galaxies, p=population.weights)
    root = np.linalg.cholesky(population.covariances)[component]
    normal = rng.standard_normal((n_galaxies, population.means.shape[1], 1))
    drawn = population.means[component] + (root @ normal)[:, :, 0]
    flux = flux_from_luptitude(drawn[:, 1:], frame.softening)
    photometry = Photometry(
        bands=frame.bands,
        flux=flux,
        flux_err=np.full(flux.shape, NOISELESS * frame.softening),
        is_detected=flux > 0,
    )
    return photometry, np.maximum(np.expm1(drawn[:, 0]), 0.0)


def _log(weights: FloatArray) -> FloatArray:
    return np.log(weights + 1e-300)
