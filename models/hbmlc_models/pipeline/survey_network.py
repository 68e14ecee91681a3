"""The network of a survey: meta-trained on its labels, and the share it earns in the pool."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hbmlc_models.base_models import ModelVersion
from hbmlc_models.fusion import PRIOR_WEIGHT, fit_pool_weight
from hbmlc_models.metalearning.features import CHANNELS
from hbmlc_models.metalearning.infer import network_outputs, outputs_density
from hbmlc_models.metalearning.network import Architecture
from hbmlc_models.metalearning.survey_tasks import SurveyTasks
from hbmlc_models.metalearning.train import MetaNetwork, Recipe, new_network, train_network
from hbmlc_models.pipeline.options import CalibrationOptions, redshift_grid
from hbmlc_models.pipeline.split import SampleSplit
from hbmlc_models.selection.context import ContextScale
from hbmlc_models.selection.dimming import add_noise, borrow_noise
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.population import MatchedSample, matched_sample

__all__ = ["fit_survey_network", "network_share"]

N_HELD_OUT_COPIES = 4
"""Re-observed copies of each held-out galaxy."""
MAX_HELD_OUT = 8_000
"""Copies at most."""


def fit_survey_network(
    split: SampleSplit,
    samples: list[MatchedSample],
    model: ModelVersion,
    options: CalibrationOptions,
    *,
    frame: LuptitudeFrame,
    context: ContextScale,
    seed: int,
    on_progress: Callable[[float], None],
) -> MetaNetwork:
    """Network meta-trained on the survey, from the shipped start where its bands fit."""
    source = SurveyTasks(
        samples,
        split.unlabelled,
        frame=frame,
        context=context.scores(split.labelled.extras, split.labelled.n_galaxies),
        seed=seed,
    )
    recipe = Recipe(
        supervised_steps=options.train_steps,
        meta_steps=options.meta_steps,
        n_inner_steps=options.inner_steps,
    )
    return train_network(
        _start(model, options, frame, seed=seed),
        source,
        recipe,
        seed=seed,
        on_progress=lambda done, _loss: on_progress(done),
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
    split: SampleSplit,
    population: Mixture,
    network: MetaNetwork,
    options: CalibrationOptions,
    *,
    frame: LuptitudeFrame,
    context: ContextScale,
    seed: int,
) -> float:
    """Share of the network, by the held-out labels dimmed and re-observed like the sky."""
    withheld, unlabelled = split.withheld, split.unlabelled
    if withheld.n_galaxies == 0 or unlabelled.n_galaxies == 0:
        return PRIOR_WEIGHT
    matched = matched_sample(
        withheld.photometry, withheld.z_spec, unlabelled, 0, frame=frame, seed=seed
    )
    rng = np.random.default_rng([seed, 31])
    n_draws = min(MAX_HELD_OUT, N_HELD_OUT_COPIES * withheld.n_galaxies)
    drawn = matched.draw(n_draws, power=0.5, rng=rng)
    flux_err = borrow_noise(drawn.photometry, unlabelled, frame=frame, rng=rng)
    observed = add_noise(drawn.photometry, flux_err, rng=rng)
    scores = context.scores(withheld.extras, withheld.n_galaxies)[drawn.parent]
    z_grid = redshift_grid(options)
    node = np.clip(np.searchsorted(z_grid, drawn.z_spec), 0, len(z_grid) - 1)
    rows = np.arange(len(node))
    evidence = population.evaluate(*frame.luptitudes(observed))
    outputs = network_outputs(network, observed, frame, scores)
    density = outputs_density(outputs, z_grid, head=network.architecture.head)
    return fit_pool_weight(
        population.density(evidence, z_grid)[rows, node],
        density[rows, node],
        np.ones(len(node)),
        n_independent=withheld.n_galaxies,
    )
