"""What follows for each galaxy of a tile from the draws of its hyper-parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection._tile_kernels import chances, correct_rows
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.quadrature import RedshiftNodes
from hbmlc_models.selection.sampler import Draws
from hbmlc_models.thinning import evenly

__all__ = [
    "MAG_RANGE",
    "Propensity",
    "TilePosterior",
    "WrongModelError",
    "corrected_density",
    "labelled_density",
    "propensity",
]

CHUNK = 4096
"""Galaxies judged at once: each costs a few kilobytes."""
N_MAG_NODES = 17
"""Brightness nodes between which the correction is interpolated."""
N_SLOPES = 16
"""Slopes that stand for the posterior draws at one brightness."""
MAG_RANGE = 4.0
"""Their range, in units of the survey's spread of brightness."""


class WrongModelError(TypeError):
    """Draws of the default model were given where those of the seed model are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePosterior:
    """Thinned posterior draws; the first axis is ``n_draws``."""

    alpha: FloatArray
    """Selection coefficients, ``(n_draws, n_basis)``."""
    gamma: FloatArray
    """Selection intercept, ``(n_draws,)``."""
    beta: FloatArray
    """Redshift dependence of the selection [per unit z], ``(n_draws,)``."""
    tilt: FloatArray
    """Tilt of n(z) and its change with brightness, ``(n_draws, 2)``; zeros in the seed model."""
    mu_z: FloatArray | None = None
    """Mean of the normal n(z), seed model only, ``(n_draws,)``."""
    sigma_z: FloatArray | None = None
    """Its standard deviation."""

    @classmethod
    def thinned(cls, draws: Draws, *, n_kept: int) -> Self:
        """Evenly spaced draws, ``n_kept`` at most."""
        n = len(draws.values["beta"])
        keep = evenly(n, n_kept)
        kept = {name: values[keep] for name, values in draws.values.items()}
        return cls(**{"tilt": np.zeros((len(keep), 2)), **kept})

    def normal_redshifts(self) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of n(z), both ``(n_draws,)``; the seed model has them.

        Raises
        ------
        WrongModelError
            The draws are those of the default model.
        """
        if self.mu_z is None or self.sigma_z is None:
            raise WrongModelError("The default model has no normal n(z): sample the seed model.")
        return self.mu_z, self.sigma_z

    def arrays(self) -> Mapping[str, FloatArray]:
        """Draws by name."""
        named = {"alpha": self.alpha, "gamma": self.gamma, "beta": self.beta, "tilt": self.tilt}
        if self.mu_z is not None and self.sigma_z is not None:
            named |= {"mu_z": self.mu_z, "sigma_z": self.sigma_z}
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """Posterior from draws by name."""
        return cls(**arrays)


@dataclass(frozen=True, slots=True, kw_only=True)
class Propensity:
    """p(S=1 given F) of some galaxies, over the posterior draws; both ``(n_galaxies,)``."""

    mean: FloatArray
    """Posterior mean."""
    std: FloatArray
    """Posterior standard deviation."""

    @classmethod
    def from_sums(cls, total: FloatArray, squares: FloatArray, n_draws: int) -> Self:
        """Mean and spread from the sums of p and of p² over the draws."""
        mean = total / n_draws
        return cls(mean=mean, std=np.sqrt(np.maximum(squares / n_draws - mean**2, 0)))


def labelled_density(
    photometry: Photometry, frame: LuptitudeFrame, population: Mixture, z_grid: FloatArray
) -> FloatArray:
    """q(z | F), the density among selected galaxies, ``(n_galaxies, n_grid)``; rows sum to one."""
    parts: list[FloatArray] = []
    for start in range(0, photometry.n_galaxies, CHUNK):
        rows = np.arange(start, min(start + CHUNK, photometry.n_galaxies))
        values, errors = frame.luptitudes(photometry.take(rows))
        parts.append(population.photometric_density(values, errors, z_grid))
    return np.concatenate(parts) if parts else np.empty((0, len(z_grid)))


def propensity(
    basis: FloatArray, nodes: RedshiftNodes, posterior: TilePosterior, *, mag: FloatArray
) -> Propensity:
    """p(S=1 given F) over the posterior draws.

    ``basis`` is ``(n_galaxies, n_basis)``, ``nodes`` stand for q(z | F), ``mag`` is the
    standardised brightness ``(n_galaxies,)``; the redshift is summed out over the tile's own,
    tilted density as in ``tile_model``.
    """
    total, squares = chances(
        basis @ posterior.alpha.T + posterior.gamma,
        posterior.tilt[:, 0] + mag[:, None] * posterior.tilt[:, 1],
        posterior.beta,
        nodes.z,
        nodes.weight,
    )
    return Propensity.from_sums(total, squares, len(posterior.beta))


def corrected_density(
    density: FloatArray,
    mag: FloatArray,
    z_grid: FloatArray,
    posterior: TilePosterior,
    *,
    is_selected: bool,
) -> FloatArray:
    r"""Posterior mean of p(z | F, S) from q(z | F), both ``(n_galaxies, n_grid)``, rows of sum one.

    A draw multiplies q by :math:`e^{T(z, m)}` for selected galaxies and by
    :math:`e^{-\beta z + T(z, m)}` for the others, *and normalises*: the mean of unnormalised
    factors would favour steep draws far from an arbitrary pivot. ``mag`` is the standardised
    brightness ``(n_galaxies,)``; answers at brightness nodes are interpolated.
    """
    nodes = np.linspace(-MAG_RANGE, MAG_RANGE, N_MAG_NODES)
    slope = posterior.tilt[:, 0] + nodes[:, None] * posterior.tilt[:, 1]
    if not is_selected:
        slope = slope - posterior.beta
    # Only the slope matters: like draws share one, their mean.
    like = np.array_split(np.sort(slope, axis=1), min(N_SLOPES, slope.shape[1]), axis=1)
    count = np.array([part.shape[1] for part in like])
    slope = np.stack([part.mean(axis=1) for part in like], axis=1)
    exponent = slope[:, :, None] * z_grid
    table = np.exp(exponent - exponent.max(axis=2, keepdims=True))
    position = np.clip((mag + MAG_RANGE) / (nodes[1] - nodes[0]), 0, N_MAG_NODES - 1 - 1e-9)
    return correct_rows(
        np.ascontiguousarray(density, dtype=np.float64), position, table, count.astype(float)
    )
