r"""Galaxy types as a noise-aware Gaussian mixture of redshift and photometry.

.. math:: p(\zeta, \mu) = \sum_k \pi_k\, N\big((\zeta, \mu) \mid m_k, S_k\big), \qquad
          \zeta = \log(1+z)

with the luptitudes :math:`\mu` of all bands. A galaxy observed with errors :math:`E` has

.. math:: p(\zeta, \hat\mu) = \sum_k \pi_k\,
              N\big((\zeta, \hat\mu) \mid m_k, S_k + \mathrm{diag}(0, E)\big)

so every galaxy is judged with its own noise (Bovy, Hogg & Roweis 2011, arXiv:0905.2979), and a band
that was not observed (infinite error) drops out exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import flux_from_luptitude, luptitude
from hbmlc_models.selection._conditioning import pack
from hbmlc_models.selection._mixture_kernels import (
    conditional_moments,
    density_on_nodes,
    log_densities,
    photometric_density,
)
from hbmlc_models.selection.frame import colour_matrix

__all__ = [
    "MINIMUM_VARIANCE",
    "Mixture",
    "MixtureEvidence",
    "covariance_floor",
    "log_density",
    "log_weights",
    "luptitudes_from_colours",
    "pool_mixtures",
    "reweight_mixture",
]

MINIMUM_VARIANCE = 3e-5
"""Least variance of a component in each direction, in units of log(1+z) and mag, squared."""
RESPONSIBILITY_CUT = 1e-5
"""Components below this share of a galaxy's probability do not enter its density."""


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Gaussian mixture over (log(1+z), luptitudes)."""

    weights: FloatArray
    """Component weights, ``(n_components,)``; they sum to one."""
    means: FloatArray
    """Component means, ``(n_components, 1 + n_bands)``."""
    covariances: FloatArray
    """Component covariances, ``(n_components, 1 + n_bands, 1 + n_bands)``."""

    def evaluate(self, luptitudes: FloatArray, errors: FloatArray) -> MixtureEvidence:
        """Judge galaxies, values and errors both ``(n_galaxies, n_bands)``, by each component."""
        log_likelihood, mean, variance = conditional_moments(
            *self._packed, _rows(luptitudes), _rows(errors), len(self.weights)
        )
        return MixtureEvidence(log_likelihood=log_likelihood, mean=mean, variance=variance)

    def log_density(
        self, luptitudes: FloatArray, errors: FloatArray, log1p_z: FloatArray | None = None
    ) -> FloatArray:
        """Log density of photometry, or of it and redshifts, ``(n_galaxies,)``, up to a constant.

        Values and errors are ``(n_galaxies, n_bands)``, ``log1p_z`` is ``(n_galaxies,)``.
        """
        return log_densities(
            *self._packed,
            _rows(luptitudes),
            _rows(errors),
            log_weights(self.weights),
            np.empty(0) if log1p_z is None else _rows(log1p_z),
        )

    def density(self, evidence: MixtureEvidence, z_grid: FloatArray) -> FloatArray:
        """p(z | photometry) on ``z_grid``, ``(n_galaxies, n_grid)``, each row with sum one."""
        return density_on_nodes(
            _rows(evidence.log_likelihood),
            _rows(evidence.mean),
            _rows(evidence.variance),
            log_weights(self.weights),
            np.log1p(z_grid),
            RESPONSIBILITY_CUT,
        )

    def photometric_density(
        self, luptitudes: FloatArray, errors: FloatArray, z_grid: FloatArray
    ) -> FloatArray:
        """``density`` of ``evaluate`` in one go, which keeps nothing in between."""
        return photometric_density(
            *self._packed,
            _rows(luptitudes),
            _rows(errors),
            log_weights(self.weights),
            np.log1p(z_grid),
            RESPONSIBILITY_CUT,
        )

    @cached_property
    def _packed(self) -> tuple[tuple[int, ...], FloatArray]:
        """Bands and components as the compiled loops want them, for however many calls."""
        return tuple(range(self.means.shape[1] - 1)), pack(self.means, self.covariances)

    def shifted(self, old: FloatArray, new: FloatArray) -> Mixture:
        """Mixture in the luptitudes of another softening [maggies], both ``(n_bands,)``.

        Exact for bright galaxies; at the noise the two luptitudes differ by less than the noise.
        """
        flux = flux_from_luptitude(self.means[:, 1:], old)
        means = np.column_stack([self.means[:, 0], luptitude(flux, new)])
        return Mixture(weights=self.weights, means=means, covariances=self.covariances)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureEvidence:
    """What each component says of each galaxy; all ``(n_galaxies, n_components)``."""

    log_likelihood: FloatArray
    """log N of the photometry under the component, noise included."""
    mean: FloatArray
    """Mean of log(1+z) given the photometry and the component."""
    variance: FloatArray
    """Its variance."""

    def log_joint(self, log1p_z: FloatArray) -> FloatArray:
        """Log density of photometry and redshift ``(n_galaxies,)``, up to a constant."""
        square = (log1p_z[:, None] - self.mean) ** 2 / self.variance
        return self.log_likelihood - 0.5 * (square + np.log(self.variance))


def log_weights(weights: FloatArray) -> FloatArray:
    """Logarithms of weights, same shape, finite where a weight is zero."""
    return np.log(weights + 1e-300)


def log_density(by_component: FloatArray, weights: FloatArray) -> FloatArray:
    """Log density of galaxies, ``(n_galaxies,)``, from that by each component.

    ``by_component`` is ``(n_galaxies, n_components)``, ``weights`` ``(n_components,)``.
    """
    return np.asarray(logsumexp(by_component + log_weights(weights), axis=1))


def _rows(values: FloatArray) -> FloatArray:
    """Array as the compiled loops want it."""
    return np.ascontiguousarray(values, dtype=np.float64)


def luptitudes_from_colours(n_bands: int, reference: int) -> FloatArray:
    """Map of (log(1+z), colours) to (log(1+z), luptitudes), in which noise is independent."""
    back = np.eye(n_bands + 1)
    back[1:, 1:] = np.linalg.inv(colour_matrix(n_bands, reference))
    return back


def covariance_floor(back: FloatArray) -> FloatArray:
    """Least covariance of luptitudes and redshift, square, from ``luptitudes_from_colours``."""
    return MINIMUM_VARIANCE * back @ back.T


def pool_mixtures(mixtures: Sequence[Mixture], weights: FloatArray) -> Mixture:
    """One mixture with the components of all; ``weights`` ``(n_mixtures,)`` sum to one."""
    return Mixture(
        weights=np.concatenate(
            [weight * mixture.weights for weight, mixture in zip(weights, mixtures, strict=True)]
        ),
        means=np.concatenate([mixture.means for mixture in mixtures]),
        covariances=np.concatenate([mixture.covariances for mixture in mixtures]),
    )


def reweight_mixture(
    mixture: Mixture, evidence: MixtureEvidence, *, prior_galaxies: float, n_iterations: int = 200
) -> Mixture:
    """Mixture with weights re-fitted to photometry alone; the components stay as they are.

    The unlabelled sky informs the population and never the curves: its redshifts are unknown, so
    letting it move components makes faint outliers worse. ``prior_galaxies`` is the weight of the
    present population, in galaxies.
    """
    prior = mixture.weights
    relative = evidence.log_likelihood - evidence.log_likelihood.max(axis=1, keepdims=True)
    likelihood = np.exp(relative)
    n_galaxies = len(likelihood)
    weights = prior.copy()
    for _ in range(n_iterations):
        density = np.einsum("gk,k->g", likelihood, weights)
        count = weights * np.einsum("gk,g->k", likelihood, 1 / density)
        weights = (count + prior_galaxies * prior) / (n_galaxies + prior_galaxies)
    return Mixture(weights=weights, means=mixture.means, covariances=mixture.covariances)
