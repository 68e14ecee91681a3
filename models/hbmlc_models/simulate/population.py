r"""Redshifts and luminosities of galaxies that may be brighter than a limit.

Each kind of galaxy follows a Schechter function with parameters that depend on redshift,

.. math:: \phi(L, z)\,dL = \phi_*(z)\,(L/L_*)^{\alpha} e^{-L/L_*}\,d(L/L_*),

and :math:`dN/dz` is its integral above the limit times the comoving volume: the scheme of skypy's
``schechter_lf``, with a generator passed in and with a limit that knows the colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from astropy.cosmology import FlatLambdaCDM

from hbmlc_models.arrays import BoolArray, FloatArray, IntArray
from hbmlc_models.simulate.grid import Z_LIMIT, ColourGrid
from hbmlc_models.simulate.templates import YOUNG
from hbmlc_models.simulate.world import Population, World

# astropy builds the constructor of a cosmology at run time.
_FlatLambdaCDM: Any = FlatLambdaCDM

__all__ = ["Galaxies", "LightCone", "distances"]

_MARGIN_MAG = 0.9
"""Galaxies are drawn this much beyond the limit, as colours scatter about the mean one."""
_LN_X = np.linspace(-16.0, 3.4, 3000)
"""Logarithm of luminosity over the characteristic one."""
_MAG_PER_LN = 2.5 / np.log(10.0)
_Z_EVOLVED = 2.0
"""Redshift at which the light shares have reached ``light_evolved``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Galaxies:
    """Galaxies as they are, ``(n,)`` each."""

    z: FloatArray
    """Redshift."""
    absolute_mag: FloatArray
    """Rest-frame B [AB]."""
    is_red: BoolArray
    """Passive or star-forming."""
    flux: FloatArray
    """Without noise [maggies], ``(n, n_bands)``."""


@cache
def distances() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Redshifts, distance moduli [mag], volumes [Mpc^3/sr], kpc per arcsec; ``(n_z,)`` each."""
    cosmology: Any = _FlatLambdaCDM(H0=70.0, Om0=0.3)
    z = np.expm1(np.linspace(np.log1p(0.005), np.log1p(Z_LIMIT), 500))
    modulus = np.asarray(cosmology.distmod(z).value)
    volume = np.asarray(cosmology.differential_comoving_volume(z).value)
    scale = np.asarray(cosmology.kpc_proper_per_arcmin(z).value) / 60.0
    return z, modulus, volume, scale


class LightCone:
    """Draws galaxies of one world down to an apparent magnitude."""

    def __init__(self, world: World, grid: ColourGrid, *, mag_limit: float) -> None:
        self._world = world
        self._grid = grid
        self._kinds = (world.blue, world.red)
        z, _, volume, _ = distances()
        band = grid.filters.bands.index(grid.filters.selection_band)
        self._faintest = [self._faintest_ln_x(kind, band, mag_limit) for kind in self._kinds]
        self._tables = [_schechter_table(kind.alpha) for kind in self._kinds]
        density = [
            volume * _phi_star(kind, z) * np.interp(faintest, _LN_X, table)
            for kind, faintest, table in zip(self._kinds, self._faintest, self._tables, strict=True)
        ]
        steps = np.diff(z)
        sums = [np.cumsum(0.5 * (d[1:] + d[:-1]) * steps) for d in density]
        self._cumulative = [np.concatenate([[0.0], s]) for s in sums]

    @property
    def density(self) -> float:
        """Galaxies per steradian that ``draw`` stands for."""
        return float(sum(cumulative[-1] for cumulative in self._cumulative))

    def draw(self, n: int, rng: np.random.Generator) -> Galaxies:
        """Draw ``n`` galaxies; some are fainter than the limit, none brighter is missing."""
        z_nodes, modulus, _, _ = distances()
        share_red = self._cumulative[1][-1] / self.density
        is_red = rng.random(n) < share_red
        z, ln_x = np.empty(n), np.empty(n)
        for number, _ in enumerate(self._kinds):
            mask = is_red == bool(number)
            count = int(mask.sum())
            cumulative = self._cumulative[number]
            z[mask] = np.interp(rng.random(count) * cumulative[-1], cumulative, z_nodes)
            table = self._tables[number]
            least = np.interp(z[mask], z_nodes, self._faintest[number])
            above = rng.random(count) * np.interp(least, _LN_X, table)
            ln_x[mask] = np.interp(-above, -table, _LN_X)
        x = self._evolution(z)
        m_star = [kind.m_star[0] + kind.m_star[1] * x for kind in self._kinds]
        absolute = np.where(is_red, m_star[1], m_star[0]) - _MAG_PER_LN * ln_x
        parts, dust = self._spectra(z, is_red, rng)
        ratio = self._grid.flux_ratio(z, dust, parts)
        dimming = np.power(10.0, -0.4 * (absolute + np.interp(z, z_nodes, modulus)))
        return Galaxies(z=z, absolute_mag=absolute, is_red=is_red, flux=ratio * dimming[:, None])

    def _evolution(self, z: FloatArray) -> FloatArray:
        """Redshift as the luminosity functions feel it."""
        saturation = self._world.z_saturation
        return saturation * -np.expm1(-z / saturation)

    def _spectra(
        self, z: FloatArray, is_red: BoolArray, rng: np.random.Generator
    ) -> tuple[FloatArray, IntArray]:
        """Shares of templates and lines, ``(n, n_parts)``, and nodes of dust, ``(n,)``."""
        share = np.minimum(z / _Z_EVOLVED, 1.0)[:, None]
        blue, red = (_mean_light(kind, share) * kind.concentration for kind in self._kinds)
        gammas = rng.standard_gamma(np.where(is_red[:, None], red, blue).astype(np.float32))
        gammas = np.maximum(gammas, 1e-6)
        light = gammas / gammas.sum(axis=1, keepdims=True)
        world = self._world
        lines = rng.standard_normal(len(z), dtype=np.float32) * world.line_scatter
        lines = light[:, YOUNG] * world.line_strength * np.exp(lines)
        dust = np.where(is_red, world.red.dust, world.blue.dust)
        # A gamma law of shape two: few galaxies are free of dust, few have much.
        a_v = 0.5 * dust * rng.standard_gamma(2.0, len(z))
        parts = np.concatenate([light, lines[:, None]], axis=1).astype(np.float32)
        return parts, self._grid.dust_node(a_v)

    def _faintest_ln_x(self, kind: Population, band: int, mag_limit: float) -> FloatArray:
        """Luminosity at the limit for the mean spectrum at the nodes of redshift, with a margin."""
        z, modulus, _, _ = distances()
        light = _mean_light(kind, np.minimum(z / _Z_EVOLVED, 1.0)[:, None])
        lines = light[:, YOUNG] * self._world.line_strength
        parts = np.concatenate([light, lines[:, None]], axis=1).astype(np.float32)
        dust = self._grid.dust_node(np.full(len(z), kind.dust))
        ratio = np.maximum(self._grid.flux_ratio(z, dust, parts)[:, band], 1e-30)
        absolute = mag_limit + _MARGIN_MAG - modulus + 2.5 * np.log10(ratio)
        m_star = kind.m_star[0] + kind.m_star[1] * self._evolution(z)
        return np.clip((m_star - absolute) / _MAG_PER_LN, _LN_X[0], _LN_X[-1])


def _mean_light(kind: Population, share: FloatArray) -> FloatArray:
    """Mean light shares of a population between z = 0 and z = 2, ``(n, n_templates)``."""
    return np.array(kind.light) * (1 - share) + np.array(kind.light_evolved) * share


def _phi_star(kind: Population, z: FloatArray) -> FloatArray:
    """Density of a population at redshift ``z`` [1/Mpc^3]."""
    return kind.phi_star[0] * np.exp(kind.phi_star[1] * z)


def _schechter_table(alpha: float) -> FloatArray:
    """Integral of the Schechter function above each luminosity of the table, falling to zero."""
    integrand = np.exp((alpha + 1) * _LN_X - np.exp(_LN_X))
    steps = 0.5 * (integrand[1:] + integrand[:-1]) * np.diff(_LN_X)
    return np.concatenate([np.cumsum(steps[::-1])[::-1], [0.0]])
