"""Labelled galaxies as they would look if they were fainter.

Spectroscopic samples are bright; the galaxies that need a photo-z are not. A labelled galaxy dimmed
by some magnitudes at its own redshift stands for fainter galaxies of its kind (Moskowitz et al.
2024, arXiv:2402.15551, call it augmentation). It stays nearly free of noise; the noise of the
galaxies it stands for is added where it is compared with them.

For every brightness of the sky the parents are the labelled galaxies *nearest* in brightness, with
a reach that widens until there are enough of them. No more is assumed than has to be: where labels
are as faint as the sky next to nothing is dimmed, and beyond them the faintest stand in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.frame import LuptitudeFrame

__all__ = [
    "DimmedSample",
    "add_noise",
    "borrow_noise",
    "choose_donors",
    "dim_labelled",
    "repeat_labelled",
]

NEIGHBOURS = 50
"""Unlabelled galaxies on either side in brightness among which a noise level is drawn."""
BRIGHTEN_AT_MOST = 0.3
"""Labelled galaxies may stand for slightly brighter ones [mag]."""
BRIGHTEN_SCALE = 0.1
"""How quickly their weight falls with that [mag]."""
MIN_PARENTS = 300.0
"""Effective number of parents at any brightness, or half the labels where there are few."""
WIDEN = 1.4
"""Factor by which the reach widens until there are enough parents."""
MAX_REACH = 30.0
"""Wider than any catalogue [mag]: here the reach stops to widen."""
N_PER_STEP = 100
"""Copies of nearly the same brightness that share one choice of parents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimmedSample:
    """Dimmed copies of labelled galaxies."""

    photometry: Photometry
    """Fluxes of the copies, with the errors of their bright parents scaled alike."""
    z_spec: FloatArray
    """Redshift of each copy, ``(n_copies,)``."""
    parent: IntArray
    """Which labelled galaxy each is a copy of, ``(n_copies,)``."""

    def take(self, index: IntArray) -> DimmedSample:
        """Copies at positions ``index``."""
        return DimmedSample(
            photometry=self.photometry.take(index),
            z_spec=self.z_spec[index],
            parent=self.parent[index],
        )


def dim_labelled(
    labelled: Photometry,
    z_spec: FloatArray,
    unlabelled: Photometry,
    *,
    frame: LuptitudeFrame,
    reach: float,
    trend: FloatArray | None,
    n_copies: int,
    rng: np.random.Generator,
) -> DimmedSample:
    """Copies of labelled galaxies with the brightness of the unlabelled ones.

    ``z_spec`` is ``(n_labelled,)``. Parents are preferred that are brighter by about ``reach``
    [mag] or less. Colours follow ``trend`` [mag per mag], ``(n_labelled, n_bands)``, or stay.
    """
    mag = frame.reference_mag(labelled)
    sky = frame.reference_mag(unlabelled if unlabelled.n_galaxies else labelled)
    wanted = np.sort(sky[rng.integers(0, len(sky), n_copies)])
    n_steps = max(1, n_copies // N_PER_STEP)
    parent = np.concatenate(
        [
            rng.choice(
                len(mag), len(step), p=_parent_probability(mag, float(np.median(step)), reach)
            )
            for step in np.array_split(wanted, n_steps)
        ]
    )
    dimming = np.maximum(wanted - mag[parent], -BRIGHTEN_AT_MOST)[:, None]
    if trend is not None:
        dimming = dimming * (1 + trend[parent])
    return DimmedSample(
        photometry=labelled.take(parent).dimmed(dimming),
        z_spec=z_spec[parent],
        parent=parent,
    )


def repeat_labelled(
    labelled: Photometry, z_spec: FloatArray, *, n_copies: int, rng: np.random.Generator
) -> DimmedSample:
    """Copies of labelled galaxies as bright as they are; ``z_spec`` is ``(n_labelled,)``."""
    parent = rng.integers(0, len(z_spec), n_copies)
    return DimmedSample(photometry=labelled.take(parent), z_spec=z_spec[parent], parent=parent)


def _parent_probability(mag: FloatArray, wanted: float, reach: float) -> FloatArray:
    """Probability of each labelled galaxy ``(n_labelled,)`` to stand for one of some brightness."""
    # For a sky brighter than every label the brightest stand in.
    dimming = max(wanted, float(mag.min())) - mag
    enough = min(MIN_PARENTS, 0.5 * len(mag))
    brightened = np.exp(np.minimum(dimming, 0) / BRIGHTEN_SCALE) * (dimming > -BRIGHTEN_AT_MOST)
    # Beyond the labels only differences in brightness count, not the distance from the sky.
    nearest = float(dimming[dimming >= 0].min())
    while True:
        weight = np.where(dimming >= 0, np.exp(-(dimming - nearest) / reach), brightened)
        weight /= weight.sum()
        if 1 / (weight**2).sum() >= enough or reach > MAX_REACH:
            return weight
        reach *= WIDEN


def choose_donors(
    photometry: Photometry,
    donors: Photometry,
    *,
    frame: LuptitudeFrame,
    rng: np.random.Generator,
) -> IntArray:
    """Position of a random donor of about the same brightness, ``(n_galaxies,)``."""
    donor_mag = frame.reference_mag(donors)
    order = np.argsort(donor_mag, kind="stable")
    position = np.searchsorted(donor_mag[order], frame.reference_mag(photometry))
    shift = rng.integers(-NEIGHBOURS, NEIGHBOURS + 1, len(position))
    return order[np.clip(position + shift, 0, len(order) - 1)]


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
    chosen = choose_donors(photometry, donors, frame=frame, rng=rng)
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
