r"""How much larger errors are than stated, by how well the population explains the sky.

Errors of faint galaxies are often under-estimated, and no label shows it: labels are bright. But
the unlabelled photometry scatters as it does. With one factor f on all errors,

.. math:: \hat f = \arg\max_f \sum_i \log p(\hat\mu_i \mid f E_i) - \log^2 f / 2 s^2,

under the survey's mixture. What the mixture itself has too broad or too narrow is mended alike: f
below one is an answer too. On real and simulated surveys the factor that the sky prefers is close
to the one that is best for the redshifts.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize_scalar

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.population import sky_sample

__all__ = ["fit_error_scale", "with_error_scale"]

PRIOR_SPREAD = 0.3
"""Prior spread of log f."""
LIMITS = (0.5, 2.5)
"""Factors that are tried: beyond them something else is wrong."""
MAX_GALAXIES = 2_000
"""Unlabelled galaxies that are used; they pin f to a few hundredths."""
OUTLIER_SHARE = 0.02
"""Share of the sky that may be unlike any type …"""
OUTLIER_SPREAD = 1.0
"""… and scatters by this much more [mag], whatever f."""
TOLERANCE = 0.01
"""Of log f."""


def fit_error_scale(population: Mixture, luptitudes: FloatArray, errors: FloatArray) -> float:
    """Factor on the errors of unlabelled galaxies, both arrays ``(n_galaxies, n_bands)``.

    One where there are none.
    """
    values, stated = luptitudes[:MAX_GALAXIES], errors[:MAX_GALAXIES]
    if len(values) == 0:
        return 1.0

    def seen_with(errors: FloatArray) -> FloatArray:
        return population.log_density(values, errors)

    unlike = math.log(OUTLIER_SHARE) + seen_with(np.hypot(stated, OUTLIER_SPREAD))

    def loss(log_scale: float) -> float:
        alike = math.log1p(-OUTLIER_SHARE) + seen_with(math.exp(log_scale) * stated)
        fit = np.logaddexp(alike, unlike)
        return 0.5 * (log_scale / PRIOR_SPREAD) ** 2 - float(fit.sum())

    bounds = (math.log(LIMITS[0]), math.log(LIMITS[1]))
    found = minimize_scalar(loss, bounds=bounds, options={"xatol": TOLERANCE})
    return math.exp(float(np.asarray(found.x)))


def with_error_scale(
    frame: LuptitudeFrame, population: Mixture, unlabelled: Photometry, *, seed: int
) -> LuptitudeFrame:
    """Frame with errors as large as the ``unlabelled`` sky shows them to be."""
    sky = sky_sample(unlabelled, frame.as_stated, np.random.default_rng([seed, 43]))
    return replace(frame, error_scale=fit_error_scale(population, *sky))
