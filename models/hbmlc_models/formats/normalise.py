"""One meaning for every convention of "nothing there".

=====================  =============================================  ============================
in the upload          meaning                                        after this line
=====================  =============================================  ============================
mag NaN, null, -99     not observed                                   flux NaN, error NaN
mag inf, 99            observed, not detected                         flux 0, error = noise floor
flux NaN, null, -99    not observed                                   flux NaN, error NaN
flux <= 0              observed, not detected                         flux kept, error kept
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

__all__ = ["Fluxes", "fluxes_from_fluxes", "fluxes_from_mags", "positions", "spec_z"]

Fluxes = tuple[FloatArray, FloatArray, BoolArray]
"""Flux, its error [maggies] and whether it is a detection. Non-detections of unknown noise have
flux zero and a NaN error until ``noise_floor`` has filled them."""

_NON_DETECTION = 90.0
"""Magnitudes from here on (99, 99.9, 999, inf) say "not detected"."""
_LIMIT_MAGS = (15.0, 40.0)
"""Errors in here can only be limiting magnitudes."""
_ERROR_SENTINELS = (99.0, 99.9, 999.0, 9999.0)
"""A large error is a faint source, but these say "none"."""
_FLUX_SENTINELS = (-99.0, -999.0, -9999.0)
_Z_SENTINELS = (-1.0, -9.0, -9.99, -99.0, -99.9, -999.0, -9999.0, 9.99, 99.0, 99.9, 999.0, 9999.0)


def fluxes_from_mags(mag: FloatArray, mag_err: FloatArray, counts: Counter[str]) -> Fluxes:
    """Fluxes of AB magnitudes ``(n,)`` as uploaded; unusable values are added to ``counts``."""
    is_missed = mag >= _NON_DETECTION
    is_observed = (mag > -_NON_DETECTION) & ~is_missed
    is_usable = np.isfinite(mag_err) & (mag_err > 0) & ~np.isin(mag_err, _ERROR_SENTINELS)
    counts["bad_errors"] += int(np.sum(is_observed & ~is_usable))
    is_detected = is_observed & is_usable
    flux = np.where(is_detected, flux_from_mag(np.where(is_detected, mag, 0.0)), np.nan)
    flux_err = flux_err_from_mag_err(flux, np.where(is_detected, mag_err, np.nan))
    has_limit = is_missed & (mag_err > _LIMIT_MAGS[0]) & (mag_err < _LIMIT_MAGS[1])
    flux[is_missed] = 0.0
    flux_err[has_limit] = flux_from_mag(mag_err[has_limit])
    return flux, flux_err, is_detected


def fluxes_from_fluxes(
    flux: FloatArray, flux_err: FloatArray, counts: Counter[str], *, maggies: float
) -> Fluxes:
    """Fluxes ``(n,)`` as uploaded, in units of ``maggies``; unusable values go to ``counts``."""
    is_observed = np.isfinite(flux) & ~np.isin(flux, _FLUX_SENTINELS)
    counts["flux_not_finite"] += int(np.isinf(flux).sum())
    is_usable = np.isfinite(flux_err) & (flux_err > 0)
    counts["bad_errors"] += int(np.sum(is_observed & ~is_usable))
    keep = is_observed & is_usable
    scaled = np.where(keep, flux, np.nan) * maggies
    return scaled, np.where(keep, flux_err, np.nan) * maggies, keep & (flux > 0)


def spec_z(z: FloatArray, counts: Counter[str], *, z_max: float) -> FloatArray:
    """Spectroscopic redshifts ``(n,)``; NaN where there is none or an impossible one."""
    is_given = np.isfinite(z) & ~np.isin(z, _Z_SENTINELS)
    # Zero is how many tables say "none"; a galaxy at rest with us needs no calibration either.
    is_zero = is_given & (z == 0)
    is_outside = is_given & ((z < 0) | (z > z_max))
    counts["z_spec_zero"] += int(is_zero.sum())
    counts["z_spec_out_of_range"] += int(is_outside.sum())
    return np.where(is_given & ~is_zero & ~is_outside, z, np.nan)


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
