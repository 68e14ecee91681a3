r"""Fluxes of galaxies in a set of bands, and the magnitude systems they are quoted in.

Inside the package every flux is in *maggies*: an AB magnitude of zero is one maggy (3631 Jy).

.. math:: m = -2.5 \log_{10} f, \qquad
          \mu = -\frac{2.5}{\ln 10}\left[\sinh^{-1}\frac{f}{2b} + \ln b\right]

The second is the asinh magnitude (luptitude) of Lupton, Gunn & Szalay 1999 (AJ 118, 1406) with the
softening :math:`b`; it is finite for non-positive fluxes and equals :math:`m` where
:math:`f \gg b`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray, IntArray, ShapeMismatchError

__all__ = [
    "AB_ZERO_JANSKY",
    "MAG_PER_E_FOLD",
    "Photometry",
    "concatenate_photometry",
    "flux_err_from_mag_err",
    "flux_from_luptitude",
    "flux_from_mag",
    "luptitude",
    "luptitude_err",
    "mag_err_from_flux",
    "mag_from_flux",
]

AB_ZERO_JANSKY = 3631.0
"""Flux density of AB magnitude zero [Jy]; Oke & Gunn 1983 (ApJ 266, 713)."""
MAG_PER_E_FOLD = 2.5 / float(np.log(10.0))
"""Magnitudes per natural e-fold of flux, Pogson's ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photometry:
    """Fluxes of galaxies in one set of bands.

    Raises
    ------
    ShapeMismatchError
        The three arrays differ in shape, or their last axis is not ``len(bands)``.
    """

    bands: tuple[str, ...]
    """Short band names in order of wavelength, e.g. ``("u", "g", "r")``."""
    flux: FloatArray
    """Fluxes [maggies], ``(n_galaxies, n_bands)``; NaN where not observed."""
    flux_err: FloatArray
    """One sigma [maggies], positive, ``(n_galaxies, n_bands)``; NaN where not observed."""
    is_detected: BoolArray
    """``(n_galaxies, n_bands)``; False for non-detections and where not observed."""

    def __post_init__(self) -> None:
        wanted = (self.flux.shape[0], len(self.bands))
        for name in ("flux", "flux_err", "is_detected"):
            found = getattr(self, name).shape
            if found != wanted:
                raise ShapeMismatchError(name, found, wanted)

    @property
    def n_galaxies(self) -> int:
        """Number of galaxies."""
        return self.flux.shape[0]

    @property
    def n_bands(self) -> int:
        """Number of bands."""
        return len(self.bands)

    @property
    def is_observed(self) -> BoolArray:
        """``(n_galaxies, n_bands)``; True where a flux was measured, detected or not."""
        return np.isfinite(self.flux) & np.isfinite(self.flux_err)

    @property
    def mag(self) -> FloatArray:
        """AB magnitudes of the detections, ``(n_galaxies, n_bands)``; NaN elsewhere."""
        return np.where(self.is_detected, mag_from_flux(self.flux), np.nan)

    def take(self, index: IntArray | BoolArray) -> Photometry:
        """Photometry of the galaxies at ``index`` (positions or mask), in that order."""
        return Photometry(
            bands=self.bands,
            flux=self.flux[index],
            flux_err=self.flux_err[index],
            is_detected=self.is_detected[index],
        )

    def scaled(self, factor: FloatArray) -> Photometry:
        """Photometry with fluxes and errors times ``factor``, which broadcasts against them."""
        return Photometry(
            bands=self.bands,
            flux=self.flux * factor,
            flux_err=self.flux_err * factor,
            is_detected=self.is_detected,
        )

    def dimmed(self, mag: FloatArray) -> Photometry:
        """Photometry whose magnitudes are larger by ``mag``, which broadcasts against them."""
        return self.scaled(flux_from_mag(mag))


def concatenate_photometry(parts: Sequence[Photometry]) -> Photometry:
    """Photometry of several samples in the same bands, one after the other."""
    return Photometry(
        bands=parts[0].bands,
        flux=np.concatenate([part.flux for part in parts]),
        flux_err=np.concatenate([part.flux_err for part in parts]),
        is_detected=np.concatenate([part.is_detected for part in parts]),
    )


def mag_from_flux(flux: FloatArray) -> FloatArray:
    """AB magnitude of ``flux`` [maggies], same shape; NaN where the flux is not positive.

    Examples
    --------
    >>> mag_from_flux(np.array([1.0, 1e-10, -1.0]))
    array([-0., 25., nan])
    """
    positive = np.where(flux > 0, flux, np.nan)
    return -2.5 * np.log10(positive)


def flux_from_mag(mag: FloatArray) -> FloatArray:
    """Flux [maggies] of an AB magnitude, same shape; zero at ``inf``, NaN stays NaN."""
    return np.power(10.0, -0.4 * mag)


def flux_err_from_mag_err(flux: FloatArray, mag_err: FloatArray) -> FloatArray:
    r"""One-sigma flux error [maggies] behind a magnitude error at ``flux`` [maggies], same shape.

    Notes
    -----
    First order in the error: :math:`\sigma_f = f \sigma_m \ln 10 / 2.5`, the inverse of the way
    in which catalogues make magnitude errors.
    """
    return flux * mag_err / MAG_PER_E_FOLD


def mag_err_from_flux(flux: FloatArray, flux_err: FloatArray) -> FloatArray:
    """One-sigma magnitude error of ``flux`` with ``flux_err`` [maggies]; NaN where flux <= 0."""
    positive = np.where(flux > 0, flux, np.nan)
    return MAG_PER_E_FOLD * flux_err / positive


def luptitude(flux: FloatArray, softening: FloatArray) -> FloatArray:
    """Asinh magnitude of ``flux`` [maggies], same shape; Lupton, Gunn & Szalay 1999.

    ``softening`` [maggies] broadcasts against ``flux``.

    Examples
    --------
    >>> luptitude(np.array([0.0, 1e-8]), np.array([1e-10])).round(3)
    array([25., 20.])
    """
    return -MAG_PER_E_FOLD * (np.arcsinh(flux / (2 * softening)) + np.log(softening))


def flux_from_luptitude(luptitudes: FloatArray, softening: FloatArray) -> FloatArray:
    """Flux [maggies] of asinh magnitudes, same shape: the inverse of ``luptitude``."""
    return 2 * softening * np.sinh(-luptitudes / MAG_PER_E_FOLD - np.log(softening))


def luptitude_err(flux: FloatArray, flux_err: FloatArray, softening: FloatArray) -> FloatArray:
    """One-sigma error of the asinh magnitude, to first order in ``flux_err``, same shape."""
    return MAG_PER_E_FOLD * flux_err / np.sqrt(flux**2 + 4 * softening**2)
