"""A simulated world: everything about galaxies and cameras that we do not know for sure.

A network that is trained across many worlds meets the real sky as one more of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.simulate.templates import N_TEMPLATES

__all__ = ["N_WARP_KNOTS", "Population", "World", "draw_world", "fiducial_world"]

N_WARP_KNOTS = 9
"""Knots, in the logarithm of wavelength, of the smooth error of a template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    r"""One kind of galaxies: luminosity function and spectra.

    The Schechter function is in the rest-frame B band; its parameters follow
    :math:`M_*(z) = M_0 + M_1 x`, :math:`\ln\phi_*(z) = \ln\phi_0 + \phi_1 z` with a redshift
    :math:`x = z_s(1 - e^{-z/z_s})` that saturates: galaxies were brighter at z = 1, and since fits
    below that redshift do not extrapolate, not by as much again at z = 2.
    """

    m_star: tuple[float, float]
    """Characteristic absolute magnitude at z = 0 [AB] and its slope."""
    phi_star: tuple[float, float]
    """Density at z = 0 [1/Mpc^3] and the slope of its logarithm."""
    alpha: float
    """Faint-end slope."""
    light: tuple[float, ...]
    """Mean share of each template in the light at 4400 angstrom at z = 0."""
    light_evolved: tuple[float, ...]
    """The same at z = 2 and beyond."""
    concentration: float
    """Dirichlet concentration of the shares: the higher, the more alike are the galaxies."""
    dust: float
    """Scale of the attenuation A(V) [mag]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One draw of what is uncertain."""

    red: Population
    """Passive galaxies."""
    blue: Population
    """Star-forming galaxies."""
    z_saturation: float = 0.9
    """Redshift at which the brightening of galaxies levels off."""
    dust_slope: float = 0.0
    """Tilt of the dust curve."""
    dust_bump: float = 0.0
    """Strength of its 2175 angstrom feature."""
    line_strength: float = 1.0
    """Typical strength of nebular lines in units of the templates'."""
    line_scatter: float = 0.3
    """Scatter of its logarithm from galaxy to galaxy."""
    igm_strength: float = 1.0
    """Strength of intergalactic absorption."""
    template_warp: tuple[tuple[float, ...], ...] = ((0.0,) * N_WARP_KNOTS,) * N_TEMPLATES
    """Smooth error of each template [natural logarithm] at the knots."""
    zero_point: tuple[float, ...] = (0.0,) * 12
    """Shift of each band [mag], by position of the band."""
    zero_point_scatter: float = 0.0
    """Scatter of further shifts from tile to tile [mag]."""
    error_factor: float = 1.0
    """Reported over true photometric error."""
    extended_noise: float = 0.0
    """How much the noise grows with the area of a galaxy; 0 treats all as points."""


_RED_LIGHT = (0.15, 0.01, 0.05, 0.75, 0.04)
_BLUE_LIGHT = (0.06, 0.22, 0.27, 0.20, 0.25)
_BLUE_EVOLVED = (0.04, 0.50, 0.22, 0.04, 0.20)


def fiducial_world() -> World:
    """Our best guess; luminosity functions follow the fit of Herbel et al. 2017 (JCAP 08, 035)."""
    red = Population(
        m_star=(-20.37, -0.71),
        phi_star=(0.0035, -0.71),
        alpha=-0.5,
        light=_RED_LIGHT,
        light_evolved=(0.15, 0.03, 0.10, 0.62, 0.10),
        concentration=25.0,
        dust=0.05,
    )
    blue = Population(
        m_star=(-20.40, -0.94),
        phi_star=(0.0037, -0.70),
        alpha=-1.3,
        light=_BLUE_LIGHT,
        light_evolved=_BLUE_EVOLVED,
        concentration=7.0,
        dust=0.45,
    )
    return World(red=red, blue=blue)


def draw_world(rng: np.random.Generator) -> World:
    """Random world around the fiducial one."""
    best = fiducial_world()
    warp = rng.gamma(2.0, 0.015)
    systematic = rng.gamma(2.0, 0.008)
    return World(
        red=_vary(best.red, rng),
        blue=_vary(best.blue, rng),
        z_saturation=float(rng.uniform(0.6, 1.4)),
        dust_slope=float(rng.normal(-0.1, 0.25)),
        dust_bump=float(max(0.0, rng.normal(0.5, 1.2))),
        line_strength=float(rng.lognormal(0.0, 0.4)),
        line_scatter=float(rng.uniform(0.1, 0.6)),
        igm_strength=float(rng.lognormal(0.0, 0.2)),
        template_warp=_tuples(_smooth(rng, (N_TEMPLATES, N_WARP_KNOTS)) * warp),
        zero_point=tuple(float(shift) for shift in rng.normal(0.0, systematic, 12)),
        zero_point_scatter=float(rng.gamma(2.0, 0.005)),
        error_factor=float(rng.uniform(0.85, 1.1)),
        extended_noise=float(rng.uniform(0.0, 0.6)),
    )


def _vary(population: Population, rng: np.random.Generator) -> Population:
    """Population with all its parameters scattered."""
    m_star = (
        population.m_star[0] + float(rng.normal(0.0, 0.2)),
        population.m_star[1] + float(rng.normal(0.0, 0.2)),
    )
    phi_star = (
        population.phi_star[0] * float(rng.lognormal(0.0, 0.3)),
        population.phi_star[1] + float(rng.normal(0.0, 0.25)),
    )
    return Population(
        m_star=m_star,
        phi_star=phi_star,
        alpha=population.alpha + float(rng.normal(0.0, 0.08)),
        light=_shares(population.light, rng),
        light_evolved=_shares(population.light_evolved, rng),
        concentration=population.concentration * float(rng.lognormal(0.0, 0.3)),
        dust=population.dust * float(rng.lognormal(0.0, 0.4)),
    )


def _shares(mean: tuple[float, ...], rng: np.random.Generator) -> tuple[float, ...]:
    """Light shares near ``mean``."""
    drawn = np.maximum(rng.dirichlet(np.array(mean) * 40.0), 0.003)
    return tuple(float(share) for share in drawn / drawn.sum())


def _smooth(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    """Random rows of unit variance in which neighbours are correlated."""
    noise = rng.standard_normal((shape[0], shape[1] + 2))
    return (noise[:, :-2] + noise[:, 1:-1] + noise[:, 2:]) / np.sqrt(3.0)


def _tuples(values: FloatArray) -> tuple[tuple[float, ...], ...]:
    """Rows of an array as tuples, so that a world can be a dictionary key."""
    return tuple(tuple(float(value) for value in row) for row in values)
