"""Spectral templates of galaxies: the five of the kcorrect package, on a logarithmic grid.

They are the non-negative basis of Blanton & Roweis 2007 (AJ 133, 734): combinations of stellar
populations with dust and nebular lines. Their role here is that of light sources to be mixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from astropy.io import fits
from scipy.ndimage import median_filter

from hbmlc_models.arrays import FloatArray

__all__ = ["LN_STEP", "N_TEMPLATES", "OLD", "YOUNG", "TemplateSet", "load_templates"]

N_TEMPLATES = 5
"""Templates in the set: dusty old, young, intermediate, old, post-starburst."""
YOUNG = 1
"""The one whose lines are the nebular lines of star formation."""
OLD = 3
"""The one that passive galaxies are made of."""
LN_STEP = 0.002
"""Step of the grid in the logarithm of wavelength: 600 km/s."""
_RANGE = (600.5, 26_000.0)
_PIVOT = 4400.0
_LINE_WINDOW = 61
"""Grid points over which the continuum is the running median; lines are narrower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSet:
    """Templates on one grid of rest-frame wavelengths."""

    wavelength: FloatArray
    """Rest frame [angstrom], ``(n_wave,)``, logarithmic."""
    continuum: FloatArray
    """Flux density per wavelength, ``(n_templates, n_wave)``; one at 4400 angstrom."""
    lines: FloatArray
    """Nebular lines on top of the continuum, ``(n_templates, n_wave)``, same unit."""


@cache
def load_templates() -> TemplateSet:
    """Templates of the installed kcorrect package."""
    resource = files("kcorrect") / "data" / "templates" / "kcorrect-default-v4.fits"
    with as_file(resource) as path, fits.open(path) as hdus:
        hdu: Any = hdus[1]
        table = hdu.data
        stored_wavelength = np.asarray(table["wave"][0], dtype=np.float64)
        stored = np.asarray(table["flux"][0], dtype=np.float64)
    edges = np.log(_RANGE)
    wavelength = np.exp(np.arange(edges[0], edges[1], LN_STEP))
    flux = np.stack([_rebin(stored_wavelength, row, wavelength) for row in stored])
    continuum = np.minimum(median_filter(flux, size=(1, _LINE_WINDOW), mode="nearest"), flux)
    # Absorption belongs to the stars: only what stands above the running median is a line.
    lines = flux - continuum
    is_weak = lines < 0.1 * continuum
    continuum = np.where(is_weak, flux, continuum)
    lines = np.where(is_weak, 0.0, lines)
    pivot = int(np.searchsorted(wavelength, _PIVOT))
    scale = continuum[:, pivot, None]
    return TemplateSet(wavelength=wavelength, continuum=continuum / scale, lines=lines / scale)


def _rebin(stored: FloatArray, flux: FloatArray, wavelength: FloatArray) -> FloatArray:
    """Mean flux in logarithmic bins: keeps the energy of lines narrower than a bin."""
    total = np.concatenate([[0.0], np.cumsum(0.5 * (flux[1:] + flux[:-1]) * np.diff(stored))])
    edges = wavelength[:, None] * np.exp(np.array([-0.5, 0.5]) * LN_STEP)
    return np.diff(np.interp(edges, stored, total), axis=1)[:, 0] / np.diff(edges, axis=1)[:, 0]
