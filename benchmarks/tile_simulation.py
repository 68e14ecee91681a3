"""Tiles drawn from the priors of the selection models: what calibration is checked against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import norm, truncnorm

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.selection.quadrature import gauss_nodes
from hbmlc_models.selection.seed_model import MU_Z_PRIOR, SIGMA_Z_PRIOR, SeedTileData
from hbmlc_models.selection.tile_model import TileData, TilePriors

__all__ = ["SimulatedTile", "draw_seed_truth", "draw_truth", "simulate_seed", "simulate_tile"]

Z_GRID = np.linspace(0.0, 3.0, 301)
N_BASIS = 8
PRIORS = TilePriors(alpha=np.zeros(N_BASIS), gamma=-1.0, beta_mean=-1.0, beta_scale=0.5)
NO_EFFECT = TilePriors(alpha=np.zeros(N_BASIS), gamma=-1.0, beta_mean=0.0, beta_scale=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedTile:
    """Galaxies of a tile whose redshifts and parameters are known."""

    data: TileData
    """What the model is given."""
    density: FloatArray
    """q(z | F), ``(n_galaxies, n_grid)``."""
    z_true: FloatArray
    """Redshift of every galaxy, ``(n_galaxies,)``."""
    chance: FloatArray
    """p(S=1 | F), ``(n_galaxies,)``."""


def draw_truth(priors: TilePriors, rng: np.random.Generator) -> FloatArray:
    """Parameters (alpha, gamma, beta, both tilts) from their prior, ``(n_basis + 4,)``."""
    mean = priors.mean()
    return mean + priors.scale() * rng.standard_normal(len(mean))


def simulate_tile(theta: FloatArray, n: int, rng: np.random.Generator) -> SimulatedTile:
    """Tile of ``n`` galaxies drawn from the model with parameters ``theta``.

    By way of p(z | F) and p(S | F, z), which the fit never writes down, on the whole grid.
    """
    gamma, beta, tilt, change = theta[N_BASIS:]
    basis, mag = rng.standard_normal((n, N_BASIS)), rng.standard_normal(n)
    density = _densities(n, rng)
    selected = density * np.exp((tilt + change * mag)[:, None] * Z_GRID)
    given_z = expit((basis @ theta[:N_BASIS] + gamma)[:, None] + beta * Z_GRID)
    # Among the selected z has density q_tau, hence among all q_tau over p(S=1 | F, z).
    everyone = selected / given_z
    everyone /= everyone.sum(axis=1, keepdims=True)
    pick = _draw_rows(everyone, rng)
    z_true = Z_GRID[pick]
    is_labelled = rng.random(n) < given_z[np.arange(n), pick]
    data = TileData(
        basis=basis,
        nodes=gauss_nodes(density, Z_GRID),
        mag=mag,
        z_spec=np.where(is_labelled, z_true, 0.0),
        is_labelled=is_labelled,
    )
    chance = (everyone * given_z).sum(axis=1)
    return SimulatedTile(data=data, density=density, z_true=z_true, chance=chance)


def _densities(n: int, rng: np.random.Generator) -> FloatArray:
    """Densities like those of a deep survey: narrow ones, wide ones, a third with two peaks."""
    centre, width = rng.uniform(0.2, 1.2, (n, 1)), rng.uniform(0.02, 0.4, (n, 1))
    second = rng.uniform(0, 0.5, (n, 1)) * (rng.random((n, 1)) < 1 / 3)
    density = (1 - second) * _normal(Z_GRID, centre, width)
    density += second * _normal(Z_GRID, rng.uniform(1, 2.8, (n, 1)), 0.15)
    return density / density.sum(axis=1, keepdims=True)


def _normal(z: FloatArray, mean: FloatArray, std: FloatArray | float) -> FloatArray:
    return np.exp(-0.5 * ((z - mean) / std) ** 2) / std


def _draw_rows(density: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Node drawn from each row of sum one."""
    above = rng.random((len(density), 1)) > density.cumsum(axis=1)
    return np.minimum(above.sum(axis=1), density.shape[1] - 1)


def draw_seed_truth(priors: TilePriors, rng: np.random.Generator) -> FloatArray:
    """Parameters (alpha, gamma, beta, mu_z, sigma_z) from their prior, ``(n_basis + 4,)``."""
    mean, scale = MU_Z_PRIOR
    mu_z = truncnorm.rvs(-mean / scale, np.inf, mean, scale, random_state=rng)
    sigma_z = rng.lognormal(np.log(SIGMA_Z_PRIOR[0]), SIGMA_Z_PRIOR[1])
    return np.concatenate([draw_truth(priors, rng)[:-2], [mu_z, sigma_z]])


def simulate_seed(
    theta: FloatArray, n: int, z_nodes: FloatArray, rng: np.random.Generator
) -> SeedTileData:
    """Tile of ``n`` galaxies drawn from the first published model, with colours of error 0.15 z."""
    gamma, beta, mu_z, sigma_z = theta[N_BASIS:]
    population = norm(mu_z, sigma_z).pdf(z_nodes)
    z = rng.choice(z_nodes, n, p=population / population.sum())
    observed = z + 0.15 * rng.standard_normal(n)
    basis = rng.standard_normal((n, N_BASIS))
    chance = expit(basis @ theta[:N_BASIS] + gamma + beta * z)
    is_labelled: BoolArray = rng.random(n) < chance
    return SeedTileData(
        basis=basis,
        log_likelihood=-0.5 * ((observed[:, None] - z_nodes) / 0.15) ** 2,
        z_spec=np.where(is_labelled, z, 0.0),
        is_labelled=is_labelled,
        z_nodes=z_nodes,
    )
