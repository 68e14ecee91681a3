"""Noise of non-detections: what the tile's own sky says, where the upload does not."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.photometry import flux_from_mag

__all__ = ["estimate_floor", "fill_floor"]

_DEPTH_SIGMA = 5.0
"""A depth is quoted at this signal-to-noise."""
_FAINT_SIGNAL_TO_NOISE = 10.0
"""Below this the sky and not the source makes the noise."""
_FAINTEST_PART = 0.2
_MIN_FAINT = 20


def estimate_floor(flux: FloatArray, flux_err: FloatArray, is_detected: BoolArray) -> FloatArray:
    """Sky noise by band [maggies], ``(n_bands,)``, from ``(n_galaxies, n_bands)``.

    It is the median error of the detections below a signal-to-noise of 10 or, with fewer than 20 of
    them, of the faintest fifth; NaN in a band without detections.
    """
    floor = np.full(flux.shape[1], np.nan)
    for band in range(flux.shape[1]):
        held = is_detected[:, band]
        f, err = flux[held, band], flux_err[held, band]
        if not len(f):
            continue
        is_faint = f < _FAINT_SIGNAL_TO_NOISE * err
        if is_faint.sum() < _MIN_FAINT:
            is_faint = f <= np.quantile(f, _FAINTEST_PART)
        floor[band] = np.median(err[is_faint])
    return floor


def fill_floor(
    flux: FloatArray, flux_err: FloatArray, *, floor: FloatArray, depth: FloatArray | None
) -> None:
    """Give non-detections of unknown noise a noise, in place; without one they become NaN.

    ``floor`` is ``(n_bands,)``; ``depth`` [5-sigma AB mag], ``(n_galaxies, n_bands)``, wins over it
    where it is finite.
    """
    is_open = np.isfinite(flux) & np.isnan(flux_err)
    noise = np.broadcast_to(floor, flux.shape)
    if depth is not None:
        noise = np.where(np.isfinite(depth), flux_from_mag(depth) / _DEPTH_SIGMA, noise)
    flux_err[is_open] = noise[is_open]
    flux[is_open & np.isnan(noise)] = np.nan
