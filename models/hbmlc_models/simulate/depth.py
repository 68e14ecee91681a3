r"""Observing conditions: photometric noise at any depth, drawn on fluxes, and seeing.

The random error of Ivezić et al. 2019 (arXiv:0805.2366, Eq. 5) for a stack of ``n_visits``,

.. math:: \sigma_f^2 = (0.04 - \gamma)\,f f_5 / \sqrt{n_{visits}} + \gamma f_5^2,

with :math:`f_5` the flux at the 5-sigma depth of the stack: photerr's model, written for fluxes so
that faint and negative ones stay Gaussian. Parameters of LSST are those of photerr.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import flux_from_mag
from hbmlc_models.simulate.filters import FilterSet

__all__ = ["Depth", "draw_depth", "flux_sigma", "lsst_depth"]

_SYSTEMATIC = 10 ** (0.005 / 2.5) - 1
"""Floor of the relative flux error: 5 mmag, photerr's ``sigmaSys``."""
_GAMMA = 0.039
MAX_MARGIN = 2.0
"""Most that a survey is deeper than the sample cut from it [mag]."""
_SEEING = (0.92, 0.87, 0.83, 0.80, 0.78, 0.76)
"""Effective seeing of LSST in ugrizy [arcsec FWHM]; Ivezić et al. 2019, Table 2."""
_STAND_IN = {"B": "g", "V": "g", "J": "y", "H": "y", "K": "y"}
"""Band of LSST whose noise a band that LSST lacks is given."""
_INFRARED_LOSS = {"J": 0.0, "H": 0.6, "K": 1.0}
"""Depth [mag] that surveys from the ground lose to the sky beyond that of the y band."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """Depth of a stack in each band."""

    m5: tuple[float, ...]
    """5-sigma depth of point sources [AB mag]."""
    n_visits: tuple[float, ...]
    """Number of exposures in the stack."""
    gamma: tuple[float, ...]
    """Sky and read-out noise, dimensionless."""
    seeing: tuple[float, ...]
    """Full width at half maximum of a point source [arcsec]."""


@cache
def _lsst() -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Single-visit depth, visits a year and gamma of LSST by band, as photerr has them."""
    from photerr import LsstErrorModel

    model: Any = LsstErrorModel()
    single = model.getLimitingMags(coadded=False)
    return single, dict(model.params.nVisYr), dict(model.params.gamma)


@cache
def _euclid_m5() -> dict[str, float]:
    """Depth of the Euclid Wide Survey by band, as photerr has it."""
    from photerr import EuclidWideErrorModel

    model: Any = EuclidWideErrorModel()
    return dict(model.params.m5)


def lsst_depth(years: float) -> Depth:
    """LSST after some years of observation."""
    single, visits_per_year, gamma = _lsst()
    visits = {band: visits_per_year[band] * years for band in single}
    return Depth(
        m5=tuple(single[band] + 1.25 * np.log10(visits[band]) for band in single),
        n_visits=tuple(visits.values()),
        gamma=tuple(gamma[band] for band in single),
        seeing=_SEEING,
    )


def draw_depth(filters: FilterSet, rng: np.random.Generator, *, mag_limit: float) -> Depth:
    """Random depth: LSST of 0.5 to 10 years with scatter, or a camera's for a magnitude limit.

    Samples of other cameras are cut where the noise begins, up to two magnitudes above the depth.
    Euclid's bands have the depth of its wide survey, whatever LSST has reached.
    """
    reference = lsst_depth(float(np.exp(rng.uniform(np.log(0.5), np.log(10.0)))))
    order = ["ugrizy".index(_STAND_IN.get(band, band.lower())) for band in filters.bands]
    m5 = np.array(reference.m5)[order]
    scatter = rng.normal(0.0, 0.15, len(order)) + rng.normal(0.0, 0.1)
    if "lsst" not in filters.name:
        place = filters.bands.index(filters.selection_band)
        m5 -= m5[place] - mag_limit - float(rng.uniform(0.0, MAX_MARGIN))
    for place, (band, curve) in enumerate(zip(filters.bands, filters.curves, strict=True)):
        if curve.startswith("Euclid"):
            m5[place] = _euclid_m5()[band]
        else:
            m5[place] -= _INFRARED_LOSS.get(band, 0.0)
    blur = np.exp(rng.normal(0.0, 0.08, len(order)) + rng.normal(0.0, 0.1))
    return Depth(
        m5=tuple((m5 + scatter).tolist()),
        n_visits=tuple(reference.n_visits[k] for k in order),
        gamma=tuple(reference.gamma[k] for k in order),
        seeing=tuple(reference.seeing[k] * float(b) for k, b in zip(order, blur, strict=True)),
    )


def flux_sigma(
    flux: FloatArray, depth: Depth, *, area_ratio: FloatArray | float = 1.0
) -> FloatArray:
    """One sigma [maggies] of ``flux`` [maggies], ``(n, n_bands)``.

    ``area_ratio`` ``(n, n_bands)`` is the area of the galaxy over that of a point source.

    Examples
    --------
    At the depth the signal-to-noise is five:

    >>> depth = Depth(m5=(25.0,), n_visits=(1.0,), gamma=(0.039,), seeing=(0.8,))
    >>> float((1e-10 / flux_sigma(np.array([[1e-10]]), depth))[0, 0].round(2))
    5.0
    """
    at_depth = flux_from_mag(np.array(depth.m5))
    gamma, visits = np.array(depth.gamma), np.array(depth.n_visits)
    positive = np.maximum(flux, 0.0)
    random = (0.04 - gamma) / np.sqrt(visits) * at_depth * positive + gamma * at_depth**2
    return np.sqrt(random * area_ratio + (_SYSTEMATIC * positive) ** 2)
