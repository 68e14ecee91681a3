"""The survey's densities judged by its labelled galaxies, as if these had no label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from hbmlc_models.arrays import FloatArray
from hbmlc_models.fusion import pool
from hbmlc_models.metalearning.infer import network_outputs, outputs_density
from hbmlc_models.metalearning.train import MetaNetwork
from hbmlc_models.metrics import pit
from hbmlc_models.odds import truncated, unselected_odds
from hbmlc_models.pipeline.split import SampleSplit
from hbmlc_models.recalibration import PitSample, Recalibration, fit_recalibration
from hbmlc_models.selection.basis import RadialBasis
from hbmlc_models.selection.context import ContextScale
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.posterior import labelled_density
from hbmlc_models.selection.propensity import SurveyPropensity
from hbmlc_models.tile import Tile

__all__ = ["PooledDensity", "survey_recalibration"]

MAX_JUDGED = 6_000
"""Labelled galaxies that are judged; more would not change the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledDensity:
    """Selection and network pooled, before anything is known of a tile."""

    frame: LuptitudeFrame
    """Frame of the photometry."""
    context: ContextScale
    """Scale of the optional columns."""
    population: Mixture
    """Galaxy types."""
    network: MetaNetwork
    """Network before adaptation."""
    share: float
    """The network's share."""
    z_grid: FloatArray
    """Nodes of redshift, ``(n_grid,)``."""

    def __call__(self, tile: Tile) -> FloatArray:
        """Density among selected galaxies, ``(n_galaxies, n_grid)``; rows sum to one."""
        selection = labelled_density(tile.photometry, self.frame, self.population, self.z_grid)
        if self.share == 0.0:
            return selection
        scores = self.context.scores(tile.extras, tile.n_galaxies)
        outputs = network_outputs(self.network, tile.photometry, self.frame, scores)
        network = outputs_density(outputs, self.z_grid, head=self.network.architecture.head)
        return pool(selection, network, self.share)


def survey_recalibration(
    split: SampleSplit,
    pooled: PooledDensity,
    basis: RadialBasis,
    propensity: SurveyPropensity,
) -> Recalibration:
    """Recalibration of ``pooled`` by the labelled galaxies of a survey."""
    n_labelled = split.labelled.n_galaxies + split.withheld.n_galaxies
    typical = max(split.unlabelled.n_galaxies, 1) / n_labelled

    def judge(tile: Tile) -> PitSample:
        seen = tile.take(np.unique(np.linspace(0, tile.n_galaxies - 1, MAX_JUDGED).astype(int)))
        phi = basis(seen.photometry, pooled.frame, seen.extras)
        chance = expit(phi @ propensity.alpha + propensity.gamma)
        return PitSample(
            pit=pit(pooled(seen), pooled.z_grid, seen.z_spec),
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
