r"""Copies of labelled galaxies moved along redshift, as far as noise hides what that gets wrong.

Labels are few and noisy photometry is wide: between the redshifts of the labels a mixture has to
guess how colours go on. How they *change* with redshift is known better than they are themselves.
A galaxy of known redshift is compared with many synthetic spectra; those like it say what its
colours would be a little nearer or farther,

.. math:: \mu_b(\zeta + \delta) = \mu_b(\zeta)
          + \sum_t w_t\,\big[M_{tb}(\zeta + \delta) - M_{tb}(\zeta)\big], \qquad
          \delta \sim N\big(0, \min(\kappa\sigma, \delta_\max)^2\big),

with the magnitudes :math:`M_{tb}` of spectrum t in band b over :math:`\zeta = \log(1+z)`. Only
differences enter, so a template that is off by a tenth of a magnitude here and there harms little;
yet colours are only as good as the difference. So a copy moves less the better the photometry
:math:`\sigma` of the galaxies that it stands for: bright copies stay where their labels are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.photometry import MAG_PER_E_FOLD, Photometry, luptitude_err
from hbmlc_models.selection.dimming import DimmedSample
from hbmlc_models.selection.frame import LuptitudeFrame

__all__ = ["ColourTracks", "RedshiftShift"]

TEMPLATE_ERROR = 0.03
"""Relative error of a synthetic flux, beside the photometric one."""
N_TYPES = 32
"""Spectra that speak for a galaxy: those most like it."""
SHIFT_PER_NOISE = 0.5
"""Shift in log(1+z) for each magnitude of noise: colours change by some two magnitudes a unit, and
templates know a tenth of that, so what is got wrong stays well below the noise."""
MAX_SHIFT = 0.05
"""Largest standard deviation of a shift in log(1+z); with 0.08 copies of bright labels explain the
photometry of distant galaxies, and nothing is left for a shipped population that knows better."""
NEAREST = 0.01
"""No copy comes nearer than this log(1+z)."""
MAX_CHANGE = 3.0
"""A colour changes by no more than this [mag]; beyond it a band has dropped out."""
CHUNK = 100
"""Galaxies compared with all spectra at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourTracks:
    """Magnitudes of synthetic spectra at all redshifts."""

    log1p_z: FloatArray
    """Nodes of log(1+z), equidistant from zero, ``(n_z,)``."""
    magnitudes: FloatArray
    """Up to a constant for each spectrum and redshift [mag], ``(n_z, n_types, n_bands)``."""

    def at(self, log1p_z: FloatArray, types: IntArray) -> FloatArray:
        """Magnitudes at ``log1p_z`` ``(n,)`` of spectra ``(n, k)``, ``(n, k, n_bands)``."""
        place = log1p_z / (self.log1p_z[1] - self.log1p_z[0])
        node = np.clip(place.astype(np.int64), 0, len(self.log1p_z) - 2)
        share = (place - node)[:, None, None]
        low, high = (self.magnitudes[step[:, None], types] for step in (node, node + 1))
        return low + share * (high - low)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedshiftShift:
    """Labelled galaxies with the spectra that are like them."""

    tracks: ColourTracks
    """All spectra."""
    types: IntArray
    """The likeliest of them for each galaxy, ``(n_labelled, n_types)``."""
    weights: FloatArray
    """Their probabilities, same shape; each row sums to one."""

    @classmethod
    def of(cls, labelled: Photometry, z_spec: FloatArray, tracks: ColourTracks) -> RedshiftShift:
        """Compare galaxies of known redshift ``(n_labelled,)`` with the spectra there."""
        step = tracks.log1p_z[1] - tracks.log1p_z[0]
        node = np.rint(np.log1p(np.maximum(z_spec, 0)) / step).astype(np.int64)
        node = np.minimum(node, len(tracks.log1p_z) - 1)
        n_types = min(N_TYPES, tracks.magnitudes.shape[1])
        types = np.empty((len(node), n_types), dtype=np.int64)
        misfit = np.empty((len(node), n_types))
        for start in range(0, len(node), CHUNK):
            rows = slice(start, start + CHUNK)
            square = _misfit(labelled, rows, tracks.magnitudes[node[rows]])
            types[rows] = np.argsort(square, axis=1, kind="stable")[:, :n_types]
            misfit[rows] = np.take_along_axis(square, types[rows], axis=1)
        weights = np.exp(-0.5 * (misfit - misfit[:, :1]))
        return cls(tracks=tracks, types=types, weights=weights / weights.sum(axis=1, keepdims=True))

    def shifted(
        self,
        sample: DimmedSample,
        flux_err: FloatArray,
        *,
        frame: LuptitudeFrame,
        rng: np.random.Generator,
    ) -> DimmedSample:
        """Copies at other redshifts, as bright as before in the reference band.

        ``flux_err`` ``(n_copies, n_bands)`` [maggies] is the noise of the galaxies that they stand
        for, NaN where those were not observed.
        """
        before = np.log1p(np.maximum(sample.z_spec, 0))
        scale = np.minimum(SHIFT_PER_NOISE * _noise(sample.photometry, flux_err, frame), MAX_SHIFT)
        after = before + scale * rng.standard_normal(len(before))
        stays = (after < NEAREST) | (after > self.tracks.log1p_z[-1])
        after = np.where(stays, before, after)
        types, weights = self.types[sample.parent], self.weights[sample.parent]
        change = self.tracks.at(after, types) - self.tracks.at(before, types)
        change -= change[:, :, [frame.reference]]
        change = np.einsum("nt,ntb->nb", weights, np.clip(change, -MAX_CHANGE, MAX_CHANGE))
        return DimmedSample(
            photometry=sample.photometry.dimmed(change),
            z_spec=np.where(stays, sample.z_spec, np.expm1(after)),
            parent=sample.parent,
        )


def _misfit(labelled: Photometry, rows: slice, magnitudes: FloatArray) -> FloatArray:
    """Chi-squared of galaxies and spectra, ``(n, n_types)``, each spectrum scaled to fit.

    ``magnitudes`` ``(n, n_types, n_bands)`` are those of the spectra at the galaxies' redshifts.
    """
    model = np.exp(-(magnitudes - magnitudes.mean(axis=2, keepdims=True)) / MAG_PER_E_FOLD)
    is_observed = labelled.is_observed[rows]
    flux = np.where(is_observed, labelled.flux[rows], 0.0)
    variance = np.where(is_observed, labelled.flux_err[rows], 1.0) ** 2
    variance = variance + (TEMPLATE_ERROR * flux) ** 2
    precision = np.where(is_observed, 1 / variance, 0.0)
    cross = np.einsum("ntb,nb->nt", model, flux * precision)
    square = np.einsum("ntb,nb->nt", model**2, precision)
    own = np.einsum("nb,nb->n", flux**2, precision)
    # A galaxy without any observed band fits every spectrum alike.
    return own[:, None] - np.maximum(cross, 0) ** 2 / np.maximum(square, np.finfo(float).tiny)


def _noise(photometry: Photometry, flux_err: FloatArray, frame: LuptitudeFrame) -> FloatArray:
    """Median error over observed bands [luptitudes], ``(n_galaxies,)``; zero without one."""
    error = luptitude_err(photometry.flux, flux_err, frame.softening)
    is_known = np.isfinite(error)
    ordered = np.sort(np.where(is_known, error, np.inf), axis=1)
    middle = np.maximum(is_known.sum(axis=1) - 1, 0) // 2
    median = ordered[np.arange(len(ordered)), middle]
    return np.where(np.isfinite(median), median, 0.0)
