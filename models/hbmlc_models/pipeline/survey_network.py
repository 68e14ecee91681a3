"""The network of a survey: meta-trained on its labels, and the share it earns in the pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hbmlc_models.base_models import ModelVersion
from hbmlc_models.fusion import PRIOR_WEIGHT, fit_pool_weight
from hbmlc_models.metalearning.features import CHANNELS
from hbmlc_models.metalearning.network import Architecture
from hbmlc_models.metalearning.survey_tasks import SurveyTasks, TrainingPool
from hbmlc_models.metalearning.train import MetaNetwork, Recipe, new_network, train_network
from hbmlc_models.photometry import concatenate_photometry
from hbmlc_models.pipeline.both_parts import BothParts
from hbmlc_models.pipeline.options import CalibrationOptions, Parts
from hbmlc_models.pipeline.split import SampleSplit
from hbmlc_models.pipeline.survey_population import LearntPopulation
from hbmlc_models.selection.context import ContextScale
from hbmlc_models.selection.dimming import add_noise, borrow_noise
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.population import draw_pooled, matched_sample
from hbmlc_models.selection.shipped_population import draw_galaxies
from hbmlc_models.tile import Tile

__all__ = ["fit_survey_network", "network_share"]

N_POOL = 60_000
"""Galaxies that training tasks are drawn from."""
COPIES = 0.5
"""Share of them that are copies of labels; the others are drawn from the population. Half of both
is better than either: copies keep what no mixture describes, draws know the unlabelled sky."""
N_HELD_OUT_COPIES = 4
"""Re-observed copies of each held-out galaxy."""
MAX_HELD_OUT = 8_000
"""Copies at most."""


def fit_survey_network(
    split: SampleSplit,
    learnt: LearntPopulation,
    model: ModelVersion,
    options: CalibrationOptions,
    *,
    frame: LuptitudeFrame,
    context: ContextScale,
    seed: int,
    on_progress: Callable[[float], None],
) -> MetaNetwork:
    """Network meta-trained on the survey, from the shipped start where its bands fit."""
    start = _start(model, options, frame, seed=seed)
    if options.parts is Parts.SELECTION:
        return start
    unlabelled = split.unlabelled
    source = SurveyTasks(
        _training_pool(
            split.labelled,
            learnt,
            frame,
            context,
            copies=1.0 if options.parts is Parts.NETWORK else COPIES,
            seed=seed,
        ),
        unlabelled.photometry,
        context.scores(unlabelled.extras, unlabelled.n_galaxies),
        frame=frame,
        seed=seed,
    )
    recipe = Recipe(
        supervised_steps=options.train_steps,
        meta_steps=options.meta_steps,
        n_inner_steps=options.inner_steps,
    )
    return train_network(
        start,
        source,
        recipe,
        seed=seed,
        on_progress=lambda done, _loss: on_progress(done),
    )


def _training_pool(
    labelled: Tile,
    learnt: LearntPopulation,
    frame: LuptitudeFrame,
    context: ContextScale,
    *,
    copies: float,
    seed: int,
) -> TrainingPool:
    """Dimmed and matched labels, a share ``copies`` of all, and galaxies of the population.

    Where a shipped population explains a share of the sky, copies of labels give way by as much.
    """
    rng = np.random.default_rng([seed, 12])
    share = learnt.blend.share if learnt.blend else 0.0
    n_copies = round(copies * (1 - share) * N_POOL)
    drawn = draw_pooled(learnt.samples, n_copies, power=0.75, rng=rng) if n_copies else []
    scores = context.scores(labelled.extras, labelled.n_galaxies)
    photometry = [part.photometry for part in drawn]
    z_spec = [part.z_spec for part in drawn]
    own = [scores[part.parent] for part in drawn]
    simulated, z_true = draw_galaxies(learnt.population, N_POOL - n_copies, frame, rng)
    photometry.append(simulated)
    z_spec.append(z_true)
    own.append(np.zeros((len(z_true), *scores.shape[1:])))
    return TrainingPool(
        photometry=concatenate_photometry(photometry),
        z_spec=np.concatenate(z_spec),
        context=np.concatenate(own),
    )


def _start(
    model: ModelVersion, options: CalibrationOptions, frame: LuptitudeFrame, *, seed: int
) -> MetaNetwork:
    """The shipped network where its bands and head fit, else random weights."""
    shipped = model.network
    if shipped and model.bands == frame.bands and shipped.architecture.head == options.head:
        return shipped
    architecture = Architecture(n_channels=CHANNELS, n_bands=len(frame.bands), head=options.head)
    return new_network(architecture, seed=seed, n_inner_steps=options.inner_steps)


def network_share(
    split: SampleSplit, parts: BothParts, options: CalibrationOptions, *, seed: int
) -> float:
    """Share of the network, by the held-out labels dimmed and re-observed like the sky."""
    if options.parts is not Parts.BOTH:
        return float(options.parts is Parts.NETWORK)
    withheld, unlabelled = split.withheld, split.unlabelled.photometry
    if withheld.n_galaxies == 0 or unlabelled.n_galaxies == 0:
        return PRIOR_WEIGHT
    matched = matched_sample(
        withheld.photometry, withheld.z_spec, unlabelled, frame=parts.frame, seed=seed
    )
    rng = np.random.default_rng([seed, 31])
    n_draws = min(MAX_HELD_OUT, N_HELD_OUT_COPIES * withheld.n_galaxies)
    drawn = matched.draw(n_draws, power=0.5, rng=rng)
    flux_err = borrow_noise(drawn.photometry, unlabelled, frame=parts.frame, rng=rng)
    observed = add_noise(drawn.photometry, flux_err, rng=rng)
    network = parts.network_density(replace(withheld.take(drawn.parent), photometry=observed))
    if network is None:
        return 0.0
    # A copy that was moved beyond the grid says nothing of the densities on it.
    rows = np.flatnonzero(drawn.z_spec <= parts.z_grid[-1])
    node = np.searchsorted(parts.z_grid, drawn.z_spec[rows])
    return fit_pool_weight(
        parts.selection_density(observed)[rows, node],
        network[rows, node],
        np.ones(len(rows)),
        n_independent=withheld.n_galaxies,
    )
