r"""What a selection by redshift, :math:`e^{-\beta z}`, does to the types of a mixture."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection.mixture import Mixture, log_weights

__all__ = ["factor_of_photometry", "factor_of_types"]

MAX_REDSHIFT = 10.0
"""Beyond it there is nothing that a survey of galaxies would see."""


def factor_of_types(population: Mixture, beta: float) -> FloatArray:
    """Factor at the mean redshift of each component, ``(n_components,)``."""
    return _factor(population.means[:, 0], beta)


def factor_of_photometry(
    population: Mixture, luptitudes: FloatArray, errors: FloatArray, beta: float
) -> FloatArray:
    """Mean factor among a population's galaxies of some photometry, ``(n_galaxies,)``.

    Values and errors are ``(n_galaxies, n_bands)``.
    """
    evidence = population.evaluate(luptitudes, errors)
    share = softmax(evidence.log_likelihood + log_weights(population.weights), axis=1)
    return (share * _factor(evidence.mean, beta)).sum(axis=1)


def _factor(log1p_z: FloatArray, beta: float) -> FloatArray:
    """Factor at log(1+z), same shape."""
    # Far from its own photometry a type extrapolates to any number.
    z = np.expm1(np.clip(log1p_z, 0, np.log1p(MAX_REDSHIFT)))
    return np.exp(-beta * z)
