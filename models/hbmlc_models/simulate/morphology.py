"""Sizes and shapes, roughly as they are."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.simulate.population import Galaxies, distances

__all__ = ["draw_morphology"]

_SIZE_SCATTER = 0.22
"""Scatter of half-light radii [dex]; Shen et al. 2003 (MNRAS 343, 978)."""
_BLUE_KPC, _RED_KPC = 4.5, 3.5
"""Half-light radii [kpc] at absolute magnitude -20.5."""


def draw_morphology(galaxies: Galaxies, rng: np.random.Generator) -> dict[str, FloatArray]:
    """``size`` (half-light radius [arcsec]), ``ellipticity``, ``concentration``; ``(n,)`` each."""
    n = len(galaxies.z)
    z_nodes, _, _, kpc_per_arcsec = distances()
    luminosity = np.power(10.0, -0.4 * (galaxies.absolute_mag + 20.5))
    # Discs grow slowly with luminosity, spheroids fast; both are smaller in the past.
    kpc = np.where(
        galaxies.is_red,
        _RED_KPC * luminosity**0.5 * (1 + galaxies.z) ** -1.2,
        _BLUE_KPC * luminosity**0.25 * (1 + galaxies.z) ** -0.8,
    )
    kpc = kpc * np.power(10.0, _SIZE_SCATTER * rng.standard_normal(n))
    size = kpc / np.interp(galaxies.z, z_nodes, kpc_per_arcsec)
    axis_ratio = np.where(galaxies.is_red, rng.beta(5.0, 2.0, n), rng.beta(2.2, 1.8, n))
    concentration = np.where(galaxies.is_red, 3.2, 2.6) + 0.25 * rng.standard_normal(n)
    return {
        "size": np.clip(size, 0.03, 20.0),
        "ellipticity": (1 - axis_ratio) / (1 + axis_ratio),
        "concentration": concentration,
    }
