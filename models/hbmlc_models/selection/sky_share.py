r"""How much of the sky a shipped population has to explain, next to one learnt from labels.

Expectation maximisation over a share w and the shipped proportions; the learnt part stays as it is:

.. math:: p(F) = (1 - w)\,p_\mathrm{learnt}(F) + w \sum_k \pi_k\,p_k(F).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logsumexp

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection.mixture import Mixture, MixtureEvidence, log_density, log_weights

__all__ = ["SkyShare", "fit_sky_share"]

INITIAL_SHARE = 0.05
"""Share of the shipped population before any evidence."""
SHARE_STRENGTH = 50.0
"""Strength of that prior, in galaxies."""
SHIPPED_STRENGTH = 3_000.0
"""Weight of the shipped population's own proportions when all of the sky is its, in galaxies."""
N_ITERATIONS = 150
"""EM steps from nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkyShare:
    """What the labels leave for a shipped population to explain."""

    evidence: MixtureEvidence
    """What each shipped component says of the sky."""
    weights: FloatArray
    """Proportions of the components, ``(n_components,)``."""
    share: float
    """Share of the shipped population in the sky."""
    belongs: FloatArray
    """Probability that a galaxy of the sky is of a component, ``(n_galaxies, n_components)``."""
    log_likelihood: float
    """Mean log density of the sky's photometry."""


def fit_sky_share(
    shipped: Mixture,
    sky: tuple[FloatArray, FloatArray],
    log_learnt: FloatArray,
    *,
    start: SkyShare | None = None,
    n_iterations: int = N_ITERATIONS,
) -> SkyShare:
    """Proportions and share of a shipped population.

    ``sky`` holds luptitudes and errors of unlabelled galaxies, both ``(n_galaxies, n_bands)``, and
    ``log_learnt`` ``(n_galaxies,)`` their log density by the labels. EM goes on from ``start``.
    """
    evidence = shipped.evaluate(*sky)
    prior = shipped.weights
    weights, share = (start.weights, start.share) if start else (prior, INITIAL_SHARE)
    belongs = _belongs(evidence, weights, share, log_learnt)
    for _ in range(n_iterations):
        counts = belongs.sum(axis=0)
        strength = SHIPPED_STRENGTH * share
        weights = (counts + strength * prior) / (counts.sum() + strength)
        found = counts.sum() + SHARE_STRENGTH * INITIAL_SHARE
        share = float(found / (len(belongs) + SHARE_STRENGTH))
        belongs = _belongs(evidence, weights, share, log_learnt)
    log_shipped = log_density(evidence.log_likelihood, weights)
    log_both = np.logaddexp(np.log1p(-share) + log_learnt, np.log(share) + log_shipped)
    return SkyShare(
        evidence=evidence,
        weights=weights,
        share=share,
        belongs=belongs,
        log_likelihood=float(log_both.mean()),
    )


def _belongs(
    evidence: MixtureEvidence, weights: FloatArray, share: float, log_learnt: FloatArray
) -> FloatArray:
    """Probability of each galaxy to be of each shipped component."""
    joint = evidence.log_likelihood + log_weights(weights)
    log_shipped = np.asarray(logsumexp(joint, axis=1))
    is_shipped = expit(log_shipped - log_learnt + np.log(share / (1 - share)))
    return np.exp(joint - log_shipped[:, None]) * is_shipped[:, None]
