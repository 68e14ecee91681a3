"""What a whole survey's densities are like: judged by its labels, and by the answers to them."""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from threadpoolctl import threadpool_limits

from hbmlc_models.expected_loss import bias_price
from hbmlc_models.metrics import pit
from hbmlc_models.odds import truncated, unselected_odds
from hbmlc_models.pipeline.both_parts import BothParts
from hbmlc_models.pipeline.split import SampleSplit
from hbmlc_models.recalibration import (
    UNCHANGED,
    PitSample,
    Recalibration,
    fit_recalibration,
)
from hbmlc_models.selection.basis import RadialBasis
from hbmlc_models.selection.propensity import SurveyPropensity
from hbmlc_models.thinning import evenly
from hbmlc_models.tile import Tile

__all__ = ["survey_price", "survey_recalibration"]

MAX_JUDGED = 6_000
"""Labelled galaxies that are judged; more would not change the answer."""
MAX_PRICED = 16_000
"""Unlabelled galaxies whose answers set the price of those that are too low: few of them leap."""


def survey_recalibration(
    split: SampleSplit,
    parts: BothParts,
    basis: RadialBasis,
    propensity: SurveyPropensity,
    *,
    share: float,
) -> Recalibration:
    """Recalibration of both parts, the network with its ``share``, by the labels of a survey."""
    n_labelled = split.labelled.n_galaxies + split.withheld.n_galaxies
    if n_labelled == 0:
        return UNCHANGED
    typical = max(split.unlabelled.n_galaxies, 1) / n_labelled

    def judge(tile: Tile) -> PitSample:
        seen = tile.take(evenly(tile.n_galaxies, MAX_JUDGED))
        phi = basis(seen.photometry, parts.frame, seen.extras)
        chance = expit(phi @ propensity.alpha + propensity.gamma)
        density = parts.pooled_density(seen, share=share)
        return PitSample(
            pit=pit(density, parts.z_grid, seen.z_spec),
            weight=truncated(unselected_odds(chance), typical=typical),
        )

    learnt = judge(split.labelled)
    if split.withheld.n_galaxies == 0:
        return fit_recalibration(learnt, PitSample(pit=np.empty(0), weight=np.empty(0)))
    withheld = judge(split.withheld)
    every = PitSample(
        pit=np.concatenate([learnt.pit, withheld.pit]),
        weight=np.concatenate([learnt.weight, withheld.weight]),
    )
    return fit_recalibration(every, withheld)


def survey_price(
    sky: Tile, parts: BothParts, recalibration: Recalibration, *, share: float, beta: float
) -> float:
    """Price of point estimates that are too low, for the unlabelled galaxies of a survey.

    ``beta`` is the expected redshift dependence of the selection, which they owe their lack of a
    label to [per unit z].
    """
    seen = sky.take(evenly(sky.n_galaxies, MAX_PRICED))
    density = parts.pooled_density(seen, share=share) * np.exp(-beta * parts.z_grid)
    density = recalibration(density / density.sum(axis=1, keepdims=True))
    # Sums on several threads differ in their last bits from run to run, and a price with them.
    with threadpool_limits(1):
        return bias_price(density, parts.z_grid)
