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

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.redshift_selection import factor_of_photometry, factor_of_types

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
    photometry = population.means[:, 1:]
    typical = factor_of_photometry(
        population, photometry, np.broadcast_to(errors, photometry.shape), beta
    )
    tilted = population.weights * factor_of_types(population, beta) / typical
    return replace(population, weights=tilted / tilted.sum())
