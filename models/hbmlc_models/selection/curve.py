r"""The model as first published: one curve of photometry in redshift.

.. math:: F \mid z \sim N\big(g(z), \Sigma_F\big), \qquad
          \Sigma_F = \mathrm{diag}(\sigma^2 + e^2) + v v^T

:math:`g` is a Gaussian process in redshift for each band, carried by its values at knots; the rank
one part of the scatter is mostly brightness, which moves all bands together; :math:`e` is the
galaxy's own error. The curve is learnt from labelled galaxies, whose redshift is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection._symbolic import compile_model, symbolic
from hbmlc_models.selection.frame import UNOBSERVED_ERR, LuptitudeFrame
from hbmlc_models.selection.sampler import Convergence, sample_nuts

__all__ = ["Curve", "fit_curve", "matern_weights"]

N_KNOTS = 8
"""Knots of the curve between redshift 0 and the last label."""
LENGTH_SCALE = 0.35
"""Correlation length of the curve in log(1+z): a break crosses a band in about as much."""
CURVE_SCALE = 2.0
"""Prior spread of the curve around its mean [mag]."""
MAX_FITTED = 300
"""Labelled galaxies that the curve is fitted to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Posterior mean of the curve and its scatter."""

    knots: FloatArray
    """Knots in log(1+z), ``(n_knots,)``."""
    values: FloatArray
    """Luptitudes at the knots, ``(n_knots, n_bands)``."""
    scatter: FloatArray
    """Independent scatter of each band [mag], ``(n_bands,)``."""
    common: FloatArray
    """Scatter that all bands share [mag], ``(n_bands,)``."""
    convergence: Convergence
    """Diagnostics of the chains."""

    def log_likelihood(
        self, luptitudes: FloatArray, errors: FloatArray, z_grid: FloatArray
    ) -> FloatArray:
        """Log p(F | z) on ``z_grid``, ``(n_galaxies, n_grid)``; inputs ``(n_galaxies, n_bands)``.

        The inverse of a diagonal plus rank-one matrix is that of Sherman & Morrison 1950.
        """
        mean = matern_weights(np.log1p(z_grid), self.knots) @ self.values
        precision = 1 / (self.scatter**2 + errors**2)
        residual = luptitudes[:, None, :] - mean[None]
        weighted = residual * precision[:, None, :]
        along = weighted @ self.common
        stretch = 1 + precision @ self.common**2
        square = (residual * weighted).sum(axis=2) - along**2 / stretch[:, None]
        log_determinant = np.log(stretch) - np.log(precision).sum(axis=1)
        return -0.5 * (square + log_determinant[:, None])


def matern_weights(log1p_z: FloatArray, knots: FloatArray) -> FloatArray:
    """Interpolation weights of the Gaussian process, ``(n_nodes, n_knots)``; Matérn 5/2."""
    inner = _matern(knots[:, None] - knots[None, :]) + 1e-6 * np.eye(len(knots))
    across = _matern(log1p_z[:, None] - knots[None, :])
    return np.asarray(cho_solve(cho_factor(inner), across.T)).T


def _matern(distance: FloatArray) -> FloatArray:
    """Matérn 5/2 correlation."""
    scaled = np.sqrt(5) * np.abs(distance) / LENGTH_SCALE
    return (1 + scaled + scaled**2 / 3) * np.exp(-scaled)


def fit_curve(
    photometry: Photometry,
    z_spec: FloatArray,
    frame: LuptitudeFrame,
    *,
    seed: int,
    draws: int = 500,
    tune: int = 500,
) -> Curve:
    """Curve fitted with NUTS to labelled galaxies; ``z_spec`` is ``(n_galaxies,)``."""
    pm, pt = symbolic()

    rng = np.random.default_rng([seed, 41])
    chosen = rng.permutation(photometry.n_galaxies)[:MAX_FITTED]
    luptitudes, errors = frame.luptitudes(photometry.take(chosen))
    log1p_z = np.log1p(z_spec[chosen])
    knots = np.linspace(0, max(float(log1p_z.max()), 0.3), N_KNOTS)
    covariance = CURVE_SCALE**2 * (
        _matern(knots[:, None] - knots[None, :]) + 1e-6 * np.eye(N_KNOTS)
    )
    # The tiny weight keeps a band finite that nobody observed.
    centre = np.average(luptitudes, axis=0, weights=(errors < UNOBSERVED_ERR) + 1e-9)
    interpolation = matern_weights(log1p_z, knots)
    n_bands = luptitudes.shape[1]
    with pm.Model() as model:
        raw = pm.Normal("raw", shape=(N_KNOTS, n_bands))
        values = pm.Deterministic("values", centre + pt.dot(np.linalg.cholesky(covariance), raw))
        scatter = pm.HalfNormal("scatter", 0.3, shape=n_bands)
        common = pm.TruncatedNormal("common", 1.0, 0.5, lower=0, shape=n_bands)
        residual = luptitudes - pt.dot(interpolation, values)
        precision = 1 / (scatter**2 + errors**2)
        along = pt.sum(residual * precision * common, axis=1)
        stretch = 1 + pt.sum(precision * common**2, axis=1)
        square = pt.sum(residual**2 * precision, axis=1) - along**2 / stretch
        log_determinant = pt.log(stretch) - pt.sum(pt.log(precision), axis=1)
        pm.Potential("likelihood", -0.5 * pt.sum(square + log_determinant))
    found = sample_nuts(
        compile_model(model),
        {},
        ("values", "scatter", "common"),
        draws=draws,
        tune=tune,
        chains=2,
        seed=seed,
    )
    return Curve(
        knots=knots,
        values=found.values["values"].mean(axis=0),
        scatter=found.values["scatter"].mean(axis=0),
        common=found.values["common"].mean(axis=0),
        convergence=found.convergence,
    )
