"""Builders of small photometric samples."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry, flux_from_mag
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture

BANDS = ("g", "r", "i", "z")


def make_photometry(
    mag: FloatArray, *, bands: tuple[str, ...] = BANDS, relative_err: float = 0.02
) -> Photometry:
    """Detections of magnitudes ``(n_galaxies, n_bands)``; NaN is a band not observed."""
    flux = flux_from_mag(np.asarray(mag, dtype=float))
    return Photometry(
        bands=bands,
        flux=flux,
        flux_err=relative_err * flux,
        is_detected=np.isfinite(flux),
    )


def random_mags(
    rng: np.random.Generator, n_galaxies: int, *, n_bands: int = len(BANDS)
) -> FloatArray:
    """Magnitudes 20 to 24 with random colours, ``(n_galaxies, n_bands)``."""
    return rng.uniform(20, 24, (n_galaxies, 1)) + 0.3 * rng.standard_normal((n_galaxies, n_bands))


def make_frame_of(bands: tuple[str, ...] = BANDS, *, softening: float = 1e-11) -> LuptitudeFrame:
    """Frame with one softening [maggies] for all bands."""
    return LuptitudeFrame(
        bands=bands, softening=np.full(len(bands), softening), reference=min(2, len(bands) - 1)
    )


def random_mixture(
    rng: np.random.Generator, *, n_components: int = 4, n_bands: int = len(BANDS)
) -> Mixture:
    """Mixture with full covariances around magnitude 22 and redshift 0.7."""
    size = 1 + n_bands
    root = 0.2 * rng.standard_normal((n_components, size, size))
    means = np.column_stack(
        [rng.uniform(0.2, 0.8, n_components), 22 + rng.standard_normal((n_components, n_bands))]
    )
    return Mixture(
        weights=rng.dirichlet(np.ones(n_components)),
        means=means,
        covariances=root @ root.transpose(0, 2, 1) + 0.02 * np.eye(size),
    )
