"""Spectroscopic selections: which galaxies of a tile get a redshift.

A survey targets by observed photometry and succeeds by what the spectrum holds. A selection is the
union of a few surveys, as in any real field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["Selection", "Survey", "draw_selection", "selection_probability"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """One spectroscopic survey."""

    band: str
    """Band of the magnitude limit."""
    mag_limit: float
    """Magnitude at which half of the galaxies are targets."""
    softness: float = 0.1
    """Width of the edge [mag]."""
    bright_limit: float = 0.0
    """Galaxies brighter than this are left out."""
    colour: tuple[str, str] | None = None
    """Two neighbouring bands whose colour is cut."""
    colour_range: tuple[float, float] = (-9.0, 9.0)
    """Colours [mag] that are kept."""
    sampling: float = 1.0
    """Share of targets that get a slit."""
    success_slope: float = 0.0
    """Success falls as exp(-slope z)."""
    desert: float = 0.0
    """Share of successes lost at 1.4 < z < 2.3, where no strong line is in the optical."""
    faint_failure: float = 0.0
    """Rise of failures towards the limit: share lost at the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Union of independent surveys."""

    surveys: tuple[Survey, ...]
    """The surveys."""


_COLOUR_EDGE = 0.05


def selection_probability(
    selection: Selection, mag: FloatArray, z: FloatArray, *, bands: tuple[str, ...]
) -> FloatArray:
    """Probability of getting a redshift, ``(n,)``, from magnitudes ``(n, n_bands)`` and z ``(n,)``.

    A NaN magnitude is not detected and so no target.
    """
    missed = np.ones(len(z))
    for survey in selection.surveys:
        missed *= 1 - _survey_probability(survey, mag, z, bands=bands)
    return 1 - missed


def _survey_probability(
    survey: Survey, mag: FloatArray, z: FloatArray, *, bands: tuple[str, ...]
) -> FloatArray:
    """Probability that one survey measures a redshift."""
    m = mag[:, bands.index(survey.band)]
    target = survey.sampling * _rise(survey.mag_limit - m, survey.softness)
    target *= _rise(m - survey.bright_limit, survey.softness)
    if survey.colour is not None:
        blue, red = (mag[:, bands.index(band)] for band in survey.colour)
        target *= _rise(blue - red - survey.colour_range[0], _COLOUR_EDGE)
        target *= _rise(survey.colour_range[1] - (blue - red), _COLOUR_EDGE)
    in_desert = _rise(z - 1.4, 0.05) * _rise(2.3 - z, 0.05)
    success = np.exp(-survey.success_slope * z) * (1 - survey.desert * in_desert)
    success *= 1 - survey.faint_failure * _rise(m - survey.mag_limit + 1.0, 0.4)
    return np.nan_to_num(target * success, nan=0.0)


def _rise(x: FloatArray, width: float) -> FloatArray:
    """Logistic step from 0 to 1 at ``x = 0``; NaN stays NaN."""
    return 0.5 * (1 + np.tanh(0.5 * x / width))


def draw_selection(
    rng: np.random.Generator, *, bands: tuple[str, ...], selection_band: str, mag_limit: float
) -> Selection:
    """Random union of one to three surveys of random families."""
    families = (_bright, _red_galaxies, _emission_galaxies, _deep_narrow)
    count = int(rng.integers(1, 4))
    chosen = rng.choice(len(families), size=count, replace=False, p=[0.35, 0.2, 0.2, 0.25])
    place = bands.index(selection_band)
    neighbours = (bands[max(0, place - 1)], bands[max(1, place)])
    surveys = [families[k](rng, selection_band, neighbours, mag_limit) for k in chosen]
    return Selection(surveys=tuple(surveys))


def _bright(rng: np.random.Generator, band: str, _: tuple[str, str], mag_limit: float) -> Survey:
    """Everything down to a bright limit, as GAMA, SDSS or VVDS-Wide do."""
    return Survey(
        band=band,
        mag_limit=mag_limit - float(rng.uniform(2.0, 5.0)),
        softness=float(rng.uniform(0.05, 0.3)),
        sampling=float(rng.uniform(0.2, 0.95)),
        success_slope=float(rng.uniform(0.0, 0.4)),
        faint_failure=float(rng.uniform(0.0, 0.3)),
    )


def _red_galaxies(
    rng: np.random.Generator, band: str, colour: tuple[str, str], mag_limit: float
) -> Survey:
    """Luminous red galaxies, as BOSS or DESI do."""
    edge = float(rng.uniform(0.5, 0.9))
    return Survey(
        band=band,
        mag_limit=mag_limit - float(rng.uniform(2.5, 5.0)),
        colour=colour,
        colour_range=(edge, 9.0),
        sampling=float(rng.uniform(0.3, 1.0)),
        faint_failure=float(rng.uniform(0.0, 0.2)),
    )


def _emission_galaxies(
    rng: np.random.Generator, band: str, colour: tuple[str, str], mag_limit: float
) -> Survey:
    """Blue galaxies with lines in a range of magnitude, as DEEP2 or DESI do."""
    limit = mag_limit - float(rng.uniform(0.5, 2.5))
    return Survey(
        band=band,
        mag_limit=limit,
        bright_limit=limit - float(rng.uniform(1.5, 4.0)),
        colour=colour,
        colour_range=(-9.0, float(rng.uniform(0.3, 0.8))),
        sampling=float(rng.uniform(0.05, 0.4)),
        success_slope=float(rng.uniform(0.0, 0.6)),
        desert=float(rng.uniform(0.3, 0.95)),
        faint_failure=float(rng.uniform(0.1, 0.5)),
    )


def _deep_narrow(
    rng: np.random.Generator, band: str, _: tuple[str, str], mag_limit: float
) -> Survey:
    """Few galaxies, but deep, as VVDS-Deep, VUDS or C3R2 do."""
    return Survey(
        band=band,
        mag_limit=mag_limit - float(rng.uniform(0.2, 1.8)),
        softness=float(rng.uniform(0.1, 0.4)),
        sampling=float(rng.uniform(0.02, 0.25)),
        success_slope=float(rng.uniform(0.0, 0.5)),
        desert=float(rng.uniform(0.2, 0.9)),
        faint_failure=float(rng.uniform(0.1, 0.6)),
    )
