r"""The population of the sky, from that of a survey's labels.

What a survey learns is p(z | F) among galaxies of the kind that gets a spec-z; the pipeline then
multiplies it by :math:`e^{-\beta z}` to speak of the others. A model version describes the sky, so
its components get that factor first, divided by its mean among galaxies of the same photometry: the
photometry of the population stays what it is. A survey that takes part in a later pool is given the
opposite factor there.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import softmax

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection.mixture import Mixture, redshift_of

__all__ = ["sky_population"]


def sky_population(population: Mixture, *, errors: FloatArray, beta: float) -> Mixture:
    """Population of the sky where that of labelled galaxies is ``population``.

    Parameters
    ----------
    errors
        Typical errors of the photometry [luptitudes], ``(n_bands,)``.
    beta
        Redshift dependence of the selection [per unit z].
    """
    weights = population.weights
    evidence = population.evaluate(
        population.means[:, 1:], np.broadcast_to(errors, (len(weights), len(errors)))
    )
    share = softmax(evidence.log_likelihood + np.log(weights + 1e-300), axis=1)
    typical = (share * np.exp(-beta * redshift_of(evidence.mean))).sum(axis=1)
    tilted = weights * np.exp(-beta * redshift_of(population.means[:, 0])) / typical
    return replace(population, weights=tilted / tilted.sum())
