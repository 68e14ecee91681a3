"""The frame of the selection model: luptitudes with one softening per band."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import MAG_PER_E_FOLD, Photometry, luptitude, luptitude_err

__all__ = ["UNOBSERVED_ERR", "LuptitudeFrame", "colour_matrix", "make_frame"]

ERROR_FLOOR = 0.01
"""Relative calibration error of any flux: published magnitudes are not better than this."""
UNOBSERVED_ERR = 1e3
"""Error [mag] given to a band that was not observed: it then drops out of every density."""
FAINT_QUANTILE = 0.7
"""Galaxies fainter than this quantile in the reference band set the softening."""
REFERENCE_BANDS = ("i", "r", "I", "R", "z")
"""The first of these that is observed orders galaxies by brightness; else the middle band."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LuptitudeFrame:
    """Bands, softening and reference band of one survey."""

    bands: tuple[str, ...]
    """Band names in order of wavelength."""
    softening: FloatArray
    """Softening of the asinh magnitudes [maggies], ``(n_bands,)``."""
    reference: int
    """Index of the band that orders galaxies by brightness."""
    error_scale: float = 1.0
    """How much larger errors are than stated."""

    @property
    def as_stated(self) -> LuptitudeFrame:
        """The same frame with errors as they are stated."""
        return replace(self, error_scale=1.0)

    def luptitudes(self, photometry: Photometry) -> tuple[FloatArray, FloatArray]:
        """Luptitudes and their errors, both ``(n_galaxies, n_bands)`` and finite.

        A band that was not observed has a value of no consequence and an enormous error.
        """
        observed = photometry.is_observed
        flux = np.where(observed, photometry.flux, self.softening)
        err = np.where(observed, photometry.flux_err, self.softening)
        err = np.hypot(self.error_scale * err, ERROR_FLOOR * flux)
        errors = luptitude_err(flux, err, self.softening)
        return luptitude(flux, self.softening), np.where(observed, errors, UNOBSERVED_ERR)

    def colours(self, photometry: Photometry) -> FloatArray:
        """Reference luptitude, adjacent colours, ``(n_galaxies, n_bands)``; NaN: not observed."""
        values, _ = self.luptitudes(photometry)
        values = np.where(photometry.is_observed, values, np.nan)
        return np.column_stack([values[:, self.reference], values[:, :-1] - values[:, 1:]])

    def reference_mag(self, photometry: Photometry) -> FloatArray:
        """Luptitude that orders galaxies by brightness, ``(n_galaxies,)``; never NaN.

        Where the reference band is missing, the mean of the observed bands stands in.
        """
        values, _ = self.luptitudes(photometry)
        values = np.where(photometry.is_observed, values, np.nan)
        n_observed = photometry.is_observed.sum(axis=1)
        mean = np.nansum(values, axis=1) / np.maximum(n_observed, 1)
        empty = -MAG_PER_E_FOLD * np.log(self.softening[self.reference])
        stand_in = np.where(n_observed > 0, mean, empty)
        chosen = values[:, self.reference]
        return np.where(np.isfinite(chosen), chosen, stand_in)


def make_frame(photometry: Photometry) -> LuptitudeFrame:
    """Frame whose softening is the typical noise of the faint galaxies in each band."""
    bands = photometry.bands
    reference = _reference_band(photometry)
    flux = photometry.flux[:, reference]
    observed = photometry.is_observed
    known = flux[observed[:, reference]]
    limit = np.quantile(known, 1 - FAINT_QUANTILE) if len(known) else np.inf
    faint = observed & ~(flux > limit)[:, None]
    softening = np.empty(len(bands))
    for band in range(len(bands)):
        use = faint[:, band] if faint[:, band].any() else observed[:, band]
        # A band that nobody observed drops out; its softening only has to be positive.
        softening[band] = np.median(photometry.flux_err[use, band]) if use.any() else 1e-10
    return LuptitudeFrame(bands=bands, softening=softening, reference=reference)


def _reference_band(photometry: Photometry) -> int:
    """Index of the best-known brightness band that most galaxies have."""
    share = photometry.is_observed.mean(axis=0)
    for name in REFERENCE_BANDS:
        if name in photometry.bands and share[photometry.bands.index(name)] > 0.5 * share.max():
            return photometry.bands.index(name)
    order = np.argsort(np.abs(np.arange(len(share)) - (len(share) - 1) / 2), kind="stable")
    return int(next(band for band in order if share[band] >= 0.5 * share.max()))


def colour_matrix(n_bands: int, reference: int) -> FloatArray:
    """Linear map from luptitudes to (reference luptitude, adjacent colours), square."""
    matrix = np.zeros((n_bands, n_bands))
    matrix[0, reference] = 1
    rows = np.arange(n_bands - 1)
    matrix[rows + 1, rows] = 1
    matrix[rows + 1, rows + 1] = -1
    return matrix
