"""Fluxes of all templates at all redshifts and amounts of dust, computed once for each world.

On a logarithmic wavelength grid a redshift is a shift, so the fluxes in one band at every redshift
are one matrix product: (filter at each redshift) times (spectra).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.photometry import AB_ZERO_JANSKY
from hbmlc_models.simulate.attenuation import dust_curve, igm_transmission
from hbmlc_models.simulate.filters import FILTER_SETS, FilterSet
from hbmlc_models.simulate.templates import LN_STEP, YOUNG, TemplateSet, load_templates
from hbmlc_models.simulate.world import N_WARP_KNOTS, World

__all__ = ["DUST_STEP", "LN_Z_STEP", "Z_LIMIT", "ColourGrid", "build_grid"]

Z_LIMIT = 4.0
"""Largest redshift that is simulated."""
DUST_STEP = 0.04
"""Step in A(V) [mag]; galaxies take the nearest node, which moves a colour by 0.01 mag at most."""
_DUST_MAX = 2.4
LN_Z_STEP = 0.004
"""Step of the grid in log(1+z)."""
_REST_BAND = (3900.0, 4900.0)
"""Top-hat [angstrom] that stands for the rest-frame B band of the luminosity function."""
_LIGHT_SPEED = 2.998e18
"""Angstrom per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourGrid:
    """Fluxes per unit of rest-frame B light."""

    filters: FilterSet
    """Filters of the last axis."""
    flux: npt.NDArray[np.float32]
    """``(n_z, n_dust, n_parts, n_bands)`` [maggies at 10 pc, redshift dimming included]."""
    rest: npt.NDArray[np.float32]
    """Rest-frame B flux of the parts, ``(n_dust, n_parts)``, same unit."""

    def locate(self, z: FloatArray) -> tuple[IntArray, npt.NDArray[np.float32]]:
        """Lower node and share of the upper one, ``(n,)`` each."""
        place = np.log1p(z) / LN_Z_STEP
        node = np.minimum(place.astype(np.int64), self.flux.shape[0] - 2)
        return node, (place - node).astype(np.float32)

    def dust_node(self, a_v: FloatArray) -> IntArray:
        """Nearest node of an attenuation [mag], ``(n,)``."""
        nearest = np.rint(a_v / DUST_STEP).astype(np.int64)
        return np.clip(nearest, 0, self.flux.shape[1] - 1)

    def flux_ratio(
        self, z: FloatArray, dust: IntArray, parts: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Flux in each band over the rest-frame B flux at 10 pc, ``(n, n_bands)``.

        ``parts`` ``(n, n_parts)`` are the shares of the templates, then of the nebular lines.
        """
        node, share = self.locate(z)
        flux = np.einsum("nk,nkb->nb", parts * (1 - share)[:, None], self.flux[node, dust])
        flux += np.einsum("nk,nkb->nb", parts * share[:, None], self.flux[node + 1, dust])
        return flux / np.einsum("nk,nk->n", parts, self.rest[dust])[:, None]


def build_grid(world: World, filters: FilterSet | None = None) -> ColourGrid:
    """Grid of one world, some tenths of a second."""
    filters = filters or FILTER_SETS["lsst"]
    templates = load_templates()
    wavelength = templates.wavelength
    spectra = _spectra(world, templates)
    n_parts, n_dust = spectra.shape[0], spectra.shape[1]
    flat = spectra.reshape(n_parts * n_dust, -1).astype(np.float32)
    z = np.expm1(np.arange(0.0, np.log1p(Z_LIMIT) + 2 * LN_Z_STEP, LN_Z_STEP))
    flux = np.empty((len(z), n_dust, n_parts, len(filters.bands)), dtype=np.float32)
    for band in range(len(filters.bands)):
        weights = _weights(world, filters, band, wavelength=wavelength, z=z)
        product = (weights @ flat.T).reshape(len(z), n_parts, n_dust)
        flux[..., band] = product.transpose(0, 2, 1)
    return ColourGrid(filters=filters, flux=flux, rest=_rest_flux(spectra, wavelength))


def _spectra(world: World, templates: TemplateSet) -> FloatArray:
    """Warped and attenuated spectra, ``(n_parts, n_dust, n_wave)``; lines are the last part."""
    wavelength = templates.wavelength
    knots = np.linspace(np.log(wavelength[0]), np.log(wavelength[-1]), N_WARP_KNOTS)
    warp = CubicSpline(knots, np.array(world.template_warp), axis=1)(np.log(wavelength))
    others = templates.continuum + world.line_strength * templates.lines
    others[YOUNG] = templates.continuum[YOUNG]
    parts = np.concatenate([others * np.exp(warp), templates.lines[YOUNG][None]])
    curve = dust_curve(wavelength, slope=world.dust_slope, bump=world.dust_bump)
    a_v = np.arange(0.0, _DUST_MAX + DUST_STEP / 2, DUST_STEP)
    return parts[:, None, :] * np.power(10.0, -0.4 * a_v[:, None] * curve)[None]


def _weights(
    world: World, filters: FilterSet, band: int, *, wavelength: FloatArray, z: FloatArray
) -> npt.NDArray[np.float32]:
    """Response to rest-frame flux density of one band at every redshift, ``(n_z, n_wave)``.

    AB maggies: photon-weighted mean of the flux over that of a source of 3631 Jy.
    """
    observed = wavelength * (1 + z)[:, None]
    response = filters.transmission(band, observed)
    transmission = np.stack(
        [
            igm_transmission(row, float(at), strength=world.igm_strength)
            for row, at in zip(observed, z, strict=True)
        ]
    )
    fine = np.exp(np.arange(np.log(2500.0), np.log(26_000.0), LN_STEP / 4))
    # Integrals over d(ln wavelength): photon weight times wavelength is wavelength squared.
    zero = AB_ZERO_JANSKY * _LIGHT_SPEED
    norm = np.sum(filters.transmission(band, fine)) * LN_STEP / 4 * zero
    weights = response * transmission * observed**2 * LN_STEP / (1 + z)[:, None]
    return (weights / norm * _JANSKY).astype(np.float32)


_JANSKY = 1e21
"""Scale that keeps single precision in range; it cancels in every ratio."""


def _rest_flux(spectra: FloatArray, wavelength: FloatArray) -> npt.NDArray[np.float32]:
    """Rest-frame B flux in the unit of the grid, ``(n_dust, n_parts)``."""
    inside = (wavelength > _REST_BAND[0]) & (wavelength < _REST_BAND[1])
    zero = AB_ZERO_JANSKY * _LIGHT_SPEED * inside.sum()
    flux = np.sum(spectra[..., inside] * wavelength[inside] ** 2, axis=-1) / zero
    return (flux * _JANSKY).T.astype(np.float32)
