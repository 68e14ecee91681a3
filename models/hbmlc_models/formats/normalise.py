"""One meaning for every convention of "nothing there".

=====================  =============================================  ============================
in the upload          meaning                                        after this line
=====================  =============================================  ============================
mag NaN, null, -99, 0  not observed                                   flux NaN, error NaN
mag inf, 99            observed, not detected                         flux 0, error = noise floor
flux NaN, null, -99    not observed                                   flux NaN, error NaN
flux or mag absurd     not observed, counted as ``out_of_range``      flux NaN, error NaN
flux <= 0              observed, not detected                         flux kept, error kept
ivar <= 0              not observed                                   flux NaN, error NaN
error <= 0 or missing  unusable value, counted as ``bad_errors``      flux NaN, error NaN
=====================  =============================================  ============================

A non-detection whose error column holds a magnitude (BPZ and RAIL write the 1-sigma limit there)
takes its noise from it.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.photometry import flux_err_from_mag_err, flux_from_mag

__all__ = [
    "NON_DETECTION",
    "Fluxes",
    "errors_from_ivars",
    "fluxes_from_fluxes",
    "fluxes_from_mags",
    "positions",
]

Fluxes = tuple[FloatArray, FloatArray, BoolArray]
"""Flux, its error [maggies] and whether it is a detection. Non-detections of unknown noise have
flux zero and a NaN error until ``noise_floor`` has filled them."""

NON_DETECTION = 90.0
"""Magnitudes from here on (99, 99.9, 999, inf) say "not detected"."""
_POSSIBLE_MAGS = (5.0, 40.0)
"""Magnitudes of galaxies: brighter than M31 has no redshift to speak of, fainter no image."""
_LARGEST_FLUX = 10 ** (-0.4 * _POSSIBLE_MAGS[0])
_LIMIT_MAGS = (15.0, 40.0)
"""Errors in here can only be limiting magnitudes."""
_ERROR_SENTINELS = (99.0, 99.9, 999.0, 9999.0)
"""A large error is a faint source, but these say "none"."""
_FLUX_SENTINELS = (-99.0, -999.0, -9999.0)


def fluxes_from_mags(
    mag: FloatArray,
    mag_err: FloatArray,
    counts: Counter[str],
    *,
    offset: float = 0.0,
    scale: float = 1.0,
    error_scale: float = 1.0,
) -> Fluxes:
    """Fluxes of magnitudes ``(n,)`` as uploaded; unusable values are added to ``counts``.

    ``offset`` makes them AB [mag]; ``scale`` and ``error_scale`` are magnitudes of one of each.
    """
    mag = mag * scale
    is_missed = mag >= NON_DETECTION
    is_given = (mag > -NON_DETECTION) & ~is_missed & (mag != 0)
    ab = np.where(is_given, mag + offset, np.nan)
    is_observed = is_given & (ab > _POSSIBLE_MAGS[0]) & (ab < _POSSIBLE_MAGS[1])
    counts["out_of_range"] += int(np.sum(is_given & ~is_observed))
    is_usable = np.isfinite(mag_err) & (mag_err > 0) & ~np.isin(mag_err, _ERROR_SENTINELS)
    counts["bad_errors"] += int(np.sum(is_observed & ~is_usable))
    is_detected = is_observed & is_usable
    flux = np.where(is_detected, flux_from_mag(np.where(is_detected, ab, 0.0)), np.nan)
    flux_err = flux_err_from_mag_err(flux, np.where(is_detected, mag_err * error_scale, np.nan))
    has_limit = is_missed & (mag_err > _LIMIT_MAGS[0]) & (mag_err < _LIMIT_MAGS[1])
    flux[is_missed] = 0.0
    flux_err[has_limit] = flux_from_mag(mag_err[has_limit] + offset)
    return flux, flux_err, is_detected


def fluxes_from_fluxes(
    flux: FloatArray,
    flux_err: FloatArray,
    counts: Counter[str],
    *,
    scale: float,
    error_scale: float,
) -> Fluxes:
    """Fluxes ``(n,)`` as uploaded, of ``scale`` maggies each; unusable ones go to ``counts``."""
    counts["flux_not_finite"] += int(np.isinf(flux).sum())
    is_given = np.isfinite(flux) & ~np.isin(flux, _FLUX_SENTINELS)
    is_observed = is_given & (np.abs(flux) * scale < _LARGEST_FLUX)
    counts["out_of_range"] += int(np.sum(is_given & ~is_observed))
    is_usable = np.isfinite(flux_err) & (flux_err > 0) & (flux_err * error_scale < _LARGEST_FLUX)
    counts["bad_errors"] += int(np.sum(is_observed & ~is_usable))
    keep = is_observed & is_usable
    scaled = np.where(keep, flux, np.nan) * scale
    return scaled, np.where(keep, flux_err, np.nan) * error_scale, keep & (flux > 0)


def errors_from_ivars(flux: FloatArray, ivar: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Flux and error of inverse variances ``(n,)``; one of zero says "not observed"."""
    is_observed = np.isfinite(ivar) & (ivar > 0)
    error = np.full(len(ivar), np.nan)
    error[is_observed] = 1 / np.sqrt(ivar[is_observed])
    return np.where(is_observed, flux, np.nan), error


def positions(
    ra: FloatArray, dec: FloatArray, counts: Counter[str]
) -> tuple[FloatArray, FloatArray]:
    """Right ascension in 0…360 and declination [deg], ``(n,)``; both NaN where impossible."""
    is_given = np.isfinite(ra) & np.isfinite(dec)
    is_inside = (ra >= -180) & (ra <= 360) & (np.abs(dec) <= 90)  # noqa: PLR2004 -- degrees
    counts["position_out_of_range"] += int(np.sum(is_given & ~is_inside))
    keep = is_given & is_inside
    wrapped = np.where(keep, np.mod(np.where(keep, ra, 0.0), 360.0), np.nan)
    return wrapped, np.where(keep, dec, np.nan)
