"""The Bayesian half of a tile's answer: densities and propensities of its galaxies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.pdf import normalise
from hbmlc_models.pipeline.survey_fit import SurveyFit
from hbmlc_models.selection.posterior import (
    MAG_RANGE,
    Propensity,
    TilePosterior,
    corrected_density,
    labelled_density,
    propensity,
)
from hbmlc_models.selection.quadrature import gauss_nodes
from hbmlc_models.selection.seed_posterior import seed_posterior
from hbmlc_models.tile import Tile

__all__ = ["SelectionAnswer", "corrected", "selection_answer", "standard_mag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionAnswer:
    """What the selection model says of each galaxy of a tile."""

    pdf: FloatArray
    """p(z | F, S) with each galaxy's own S, ``(n_galaxies, n_grid)``."""
    p_selected: Propensity
    """p(S=1 given F) over the posterior draws."""
    support: FloatArray
    """Nearness of labelled galaxies in photometry, 0 to 1, ``(n_galaxies,)``."""


def selection_answer(
    tile: Tile, survey: SurveyFit, posterior: TilePosterior, z_grid: FloatArray
) -> SelectionAnswer:
    """Judge every galaxy of ``tile`` by the posterior of its hyper-parameters."""
    phi = survey.basis(tile.photometry, survey.frame, tile.extras)
    # The optional columns of dimmed copies are those of their parents: distance leaves them out.
    support = survey.support(survey.basis(tile.photometry, survey.frame, {}))
    if survey.curve is not None:
        density, likely = seed_posterior(
            tile.photometry,
            phi,
            tile.is_labelled,
            frame=survey.frame,
            curve=survey.curve,
            posterior=posterior,
            z_grid=z_grid,
        )
        return SelectionAnswer(pdf=normalise(density, z_grid), p_selected=likely, support=support)
    density = labelled_density(tile.photometry, survey.frame, survey.population, z_grid)
    nodes = gauss_nodes(density, z_grid)
    likely = propensity(phi, nodes, posterior, mag=standard_mag(tile, survey))
    answer = corrected(density, tile, survey, posterior, z_grid)
    return SelectionAnswer(pdf=normalise(answer, z_grid), p_selected=likely, support=support)


def standard_mag(tile: Tile, survey: SurveyFit) -> FloatArray:
    """Brightness in units of the survey's spread, within ``MAG_RANGE``, ``(n_galaxies,)``."""
    mag = (survey.frame.reference_mag(tile.photometry) - survey.mag_pivot) / survey.mag_scale
    # A lone star-like object ten spreads away must not steer the tilt of all others.
    return np.clip(mag, -MAG_RANGE, MAG_RANGE)


def corrected(
    density: FloatArray,
    tile: Tile,
    survey: SurveyFit,
    posterior: TilePosterior,
    z_grid: FloatArray,
) -> FloatArray:
    """Density among labelled galaxies corrected to each galaxy's own S, ``(n_galaxies, n_grid)``.

    Rows of ``density`` and of the answer have sum one.
    """
    mag = standard_mag(tile, survey)
    answer = np.empty(density.shape)
    for is_selected in (True, False):
        rows = np.flatnonzero(tile.is_labelled == is_selected)
        answer[rows] = corrected_density(
            density[rows], mag[rows], z_grid, posterior, is_selected=is_selected
        )
    return answer
