"""Labelled galaxies as they would look if they were fainter.

Spectroscopic samples are bright; the galaxies that need a photo-z are not. A labelled galaxy dimmed
by some magnitudes, at its own redshift and colours, stands for fainter galaxies of its kind
(Moskowitz et al. 2024, arXiv:2402.15551, call it augmentation). It stays nearly free of noise; the
noise of the galaxies it stands for is added where it is compared with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.frame import LuptitudeFrame

__all__ = ["DimmedSample", "add_noise", "borrow_noise", "dim_labelled"]

NEIGHBOURS = 50
"""Unlabelled galaxies on either side in brightness among which a noise level is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimmedSample:
    """Dimmed copies of labelled galaxies."""

    photometry: Photometry
    """Fluxes of the copies, with the errors of their bright parents scaled alike."""
    z_spec: FloatArray
    """Redshift of each copy, ``(n_copies,)``."""
    parent: IntArray
    """Which labelled galaxy each is a copy of, ``(n_copies,)``."""


def dim_labelled(
    labelled: Photometry,
    z_spec: FloatArray,
    unlabelled: Photometry,
    *,
    frame: LuptitudeFrame,
    dim_at_most: float,
    n_copies: int,
    rng: np.random.Generator,
) -> DimmedSample:
    """Copies of each labelled galaxy at magnitudes of the unlabelled ones up to a limit fainter.

    ``z_spec`` is ``(n_labelled,)``; ``dim_at_most`` is in magnitudes.
    """
    parent = np.repeat(np.arange(len(z_spec)), n_copies)
    mag = frame.reference_mag(labelled)[parent]
    targets = np.sort(frame.reference_mag(unlabelled if unlabelled.n_galaxies else labelled))
    low = np.searchsorted(targets, mag)
    high = np.maximum(np.searchsorted(targets, mag + dim_at_most), low + 1)
    pick = (low + rng.random(len(parent)) * (high - low)).astype(int)
    dimming = np.clip(targets[np.minimum(pick, len(targets) - 1)] - mag, 0, dim_at_most)
    scale = 10 ** (-0.4 * dimming)[:, None]
    return DimmedSample(
        photometry=labelled.take(parent).scaled(scale),
        z_spec=z_spec[parent],
        parent=parent,
    )


def borrow_noise(
    photometry: Photometry,
    donors: Photometry,
    *,
    frame: LuptitudeFrame,
    rng: np.random.Generator,
) -> FloatArray:
    """Flux errors [maggies] of donors of about the same brightness, ``(n_galaxies, n_bands)``.

    NaN where the donor was not observed in a band.
    """
    donor_mag = frame.reference_mag(donors)
    order = np.argsort(donor_mag, kind="stable")
    position = np.searchsorted(donor_mag[order], frame.reference_mag(photometry))
    shift = rng.integers(-NEIGHBOURS, NEIGHBOURS + 1, len(position))
    chosen = order[np.clip(position + shift, 0, len(order) - 1)]
    return np.where(donors.is_observed[chosen], donors.flux_err[chosen], np.nan)


def add_noise(
    photometry: Photometry, flux_err: FloatArray, *, rng: np.random.Generator
) -> Photometry:
    """Photometry re-observed with errors ``flux_err`` [maggies], ``(n_galaxies, n_bands)``.

    Only what is missing in quadrature is added; a flux below three sigma is a non-detection.
    """
    extra = np.sqrt(np.clip(flux_err**2 - photometry.flux_err**2, 0, None))
    flux = photometry.flux + extra * rng.standard_normal(flux_err.shape)
    err = np.where(np.isfinite(flux), np.fmax(flux_err, photometry.flux_err), np.nan)
    flux = np.where(np.isfinite(flux_err), flux, np.nan)
    err = np.where(np.isfinite(flux), err, np.nan)
    return Photometry(
        bands=photometry.bands,
        flux=flux,
        flux_err=err,
        is_detected=np.isfinite(flux) & (flux > 3 * err),
    )
