"""How a model version answers for labelled galaxies that it has not learnt from.

A version is judged by what it knows by itself: its population, in the colours and proportions of
the sky as where a catalogue has no labels, pooled with its network. The labels are galaxies that
were selected, so p(z) of the sky gets the factor of the selection before it is compared with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from hbmlc_models import metrics
from hbmlc_models.arrays import FloatArray
from hbmlc_models.base_models import ModelVersion
from hbmlc_models.fusion import PRIOR_WEIGHT, pool
from hbmlc_models.odds import truncated, unselected_odds
from hbmlc_models.pdf import normalise, point_estimates
from hbmlc_models.photometry import Photometry
from hbmlc_models.pipeline.both_parts import BothParts
from hbmlc_models.pipeline.options import CalibrationOptions, redshift_grid
from hbmlc_models.pipeline.survey_fit import SurveyFit
from hbmlc_models.pipeline.survey_population import borrow_population
from hbmlc_models.selection.posterior import labelled_density
from hbmlc_models.tile import Tile
from hbmlc_models.training.gate import Scores

__all__ = ["Judgement", "judge", "label_weights"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of an examination."""

    scores: Scores
    """Galaxy by galaxy."""
    metrics: Mapping[str, float]
    """Figures of merit, ``weighted_cde_loss`` with the weights that imitate the sky."""


def judge(
    version: ModelVersion,
    withheld: Tile,
    unlabelled: Photometry,
    survey: SurveyFit,
    options: CalibrationOptions,
    *,
    weight: FloatArray,
    seed: int,
) -> Judgement | None:
    """Judge a version by labels ``withheld`` from it; ``None`` where it has no answer of its own.

    ``survey`` says in which frame and units the photometry is shown; ``weight`` ``(n_withheld,)``
    is that of ``label_weights``.
    """
    pdf = _answer(version, withheld, unlabelled, survey, options, seed=seed)
    if pdf is None:
        return None
    z_grid, z_spec = redshift_grid(options), withheld.z_spec
    z_phot = point_estimates(pdf, z_grid).best
    losses = metrics.cde_losses(pdf, z_grid, z_spec)
    return Judgement(
        scores=Scores(
            cde_loss=losses,
            scaled_error=metrics.scaled_delta_z(z_phot, z_spec),
            weight=weight,
        ),
        metrics={
            "nmad": metrics.nmad(z_phot, z_spec),
            "outlier_fraction": metrics.outlier_fraction(z_phot, z_spec),
            "cde_loss": float(losses.mean()),
            "weighted_cde_loss": float(weight @ losses / weight.sum()),
            "pit_ks": metrics.pit_ks(metrics.pit(pdf, z_grid, z_spec)),
        },
    )


def label_weights(
    withheld: Tile, survey: SurveyFit, *, z_grid: FloatArray, typical: float
) -> FloatArray:
    """Unlabelled galaxies that each withheld label stands for, truncated, ``(n_withheld,)``.

    ``typical`` is that number for the average label.
    """
    basis = survey.basis(withheld.photometry, survey.frame, withheld.extras)
    density = labelled_density(withheld.photometry, survey.frame, survey.population, z_grid)
    # The survey's coefficients stand beside β, which the redshift then has to be summed out of.
    log_factor = np.log(density @ np.exp(-survey.beta_mean * z_grid))
    propensity = expit(basis @ survey.alpha + survey.gamma - log_factor)
    return truncated(unselected_odds(propensity), typical=typical)


def _answer(
    version: ModelVersion,
    tile: Tile,
    unlabelled: Photometry,
    survey: SurveyFit,
    options: CalibrationOptions,
    *,
    seed: int,
) -> FloatArray | None:
    """p(z) of selected galaxies by a version alone, ``(n_galaxies, n_grid)``."""
    frame = survey.frame
    found = borrow_population(unlabelled, [version], frame, seed=seed)
    if found is None:
        return None
    z_grid = redshift_grid(options)
    parts = BothParts(
        frame=frame,
        context=survey.basis.context,
        population=found.population,
        network=version.network if version.bands == frame.bands else None,
        z_grid=z_grid,
    )
    density = parts.selection_density(tile.photometry) * np.exp(options.beta_mean * z_grid)
    density = normalise(density, z_grid)
    network = parts.network_density(tile)
    return density if network is None else pool(density, normalise(network, z_grid), PRIOR_WEIGHT)
