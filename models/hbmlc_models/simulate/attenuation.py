"""Light that is lost on the way: dust in the galaxy, hydrogen between the galaxies."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["dust_curve", "igm_transmission"]

_R_V = 4.05
_V_ANGSTROM = 5500.0
_BRANCH_MICRON = 0.63
_LYMAN = ((1215.67, 3.6e-3), (1025.72, 1.7e-3), (972.54, 1.2e-3), (949.74, 9.3e-4))
"""Wavelength [angstrom] and optical depth of Lyman lines; Madau 1995 (ApJ 441, 18), Eq. 15."""
_LYMAN_LIMIT = 911.75


def dust_curve(wavelength: FloatArray, *, slope: float, bump: float) -> FloatArray:
    """Attenuation A(wavelength)/A(V), same shape as ``wavelength`` [angstrom].

    Calzetti et al. 2000 (ApJ 533, 682), tilted by a power law ``slope`` and with a 2175 angstrom
    feature of strength ``bump``, as in Noll et al. 2009 (A&A 507, 1793).
    """
    micron = np.clip(wavelength, 1200.0, 22_000.0) / 1e4
    blue = 2.659 * (-2.156 + 1.509 / micron - 0.198 / micron**2 + 0.011 / micron**3) + _R_V
    red = 2.659 * (-1.857 + 1.040 / micron) + _R_V
    curve = np.where(micron < _BRANCH_MICRON, blue, red)
    width, centre = 350.0, 2175.0
    squared = (wavelength * width) ** 2
    drude = bump * squared / ((wavelength**2 - centre**2) ** 2 + squared)
    return np.maximum((curve + drude) / _R_V * (wavelength / _V_ANGSTROM) ** slope, 0.0)


def igm_transmission(observed: FloatArray, z: float, *, strength: float) -> FloatArray:
    """Mean transmission of intergalactic hydrogen at ``observed`` [angstrom], same shape."""
    depth = np.zeros(observed.shape)
    for line, coefficient in _LYMAN:
        is_blueward = observed < line * (1 + z)
        depth += np.where(is_blueward, coefficient * (observed / line) ** 3.46, 0.0)
    transmission = np.exp(-strength * depth)
    return np.where(observed < _LYMAN_LIMIT * (1 + z), 0.0, transmission)
