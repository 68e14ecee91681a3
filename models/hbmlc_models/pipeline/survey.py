"""SURVEY: what all tiles of a catalogue share, fitted once on a bounded sample of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sklearn.linear_model import LogisticRegression

from hbmlc_models.arrays import FloatArray
from hbmlc_models.base_models import ModelVersion
from hbmlc_models.fusion import PRIOR_WEIGHT, fit_pool_weight
from hbmlc_models.metalearning.features import CHANNELS
from hbmlc_models.metalearning.infer import network_outputs, outputs_density
from hbmlc_models.metalearning.network import Architecture, init_weights
from hbmlc_models.metalearning.survey_tasks import SurveyTasks
from hbmlc_models.metalearning.train import INITIAL_RATE, MetaNetwork, Recipe, train_network
from hbmlc_models.photometry import Photometry
from hbmlc_models.pipeline.options import CalibrationOptions, Preset, redshift_grid
from hbmlc_models.pipeline.survey_fit import NoLabelsError, SurveyFit
from hbmlc_models.selection.basis import RadialBasis, fit_basis
from hbmlc_models.selection.curve import fit_curve
from hbmlc_models.selection.dimming import add_noise, borrow_noise
from hbmlc_models.selection.frame import LuptitudeFrame, make_frame
from hbmlc_models.selection.holdout import HOLD_OUT_FRACTION, is_held_out
from hbmlc_models.selection.mixture import Mixture, reweight_mixture
from hbmlc_models.selection.population import (
    MatchedSample,
    fit_population,
    matched_samples,
)
from hbmlc_models.selection.support import fit_support
from hbmlc_models.tile import Tile

__all__ = ["fit_survey"]

MIN_LABELLED = 8
"""With fewer labels nothing can be learnt from them: only a shipped version can serve."""
MIN_LABELLED_FOR_HOLD_OUT = 200
"""With fewer labels every one is needed for the fit."""
N_HELD_OUT_COPIES = 4
"""Re-observed copies of each held-out galaxy."""
MAX_HELD_OUT = 8_000
"""Copies at most."""
N_SUPPORT = 20_000
"""Matched copies that the support map is made of."""


class SurveySample(Protocol):
    """A random part of a catalogue."""

    @property
    def tile(self) -> Tile:
        """The galaxies."""
        ...


def fit_survey(
    sample: SurveySample,
    model: ModelVersion,
    options: CalibrationOptions,
    *,
    seed: int,
    on_progress: Callable[[float], None] = lambda _: None,
) -> SurveyFit:
    """Fit population, selection and network of a survey.

    Raises
    ------
    NoLabelsError
        There are next to no labels and the model version has no population of these bands.
    """
    tile = sample.tile
    frame = make_frame(tile.photometry)
    basis = fit_basis(tile.photometry, frame, tile.extras, seed=seed)
    held = is_held_out(tile.row, fraction=_hold_out_fraction(tile), seed=seed)
    alpha, gamma = _survey_selection(tile, basis, frame)
    if tile.n_labelled < MIN_LABELLED:
        population, network = _shipped(tile, model, frame)
        share, samples = PRIOR_WEIGHT, []
    else:
        fitted = _fit_labelled(tile, ~held, frame, basis, seed, on_progress)
        samples, population = fitted
        network = _fit_network(
            tile, ~held, samples, model, frame, basis, options, seed, on_progress
        )
        share = _pool_share(tile, held, population, network, frame, basis, options, seed)
    curve = None
    if options.preset is Preset.SEED:
        curve = fit_curve(tile.photometry, tile.z_spec, tile.is_labelled & ~held, frame, seed=seed)
    rng = np.random.default_rng([seed, 21])
    mag = frame.reference_mag(tile.photometry)
    low, middle, high = np.quantile(mag, [0.16, 0.5, 0.84])
    return SurveyFit(
        frame=frame,
        population=population,
        basis=basis,
        support=fit_support(_support_points(samples, tile, frame, basis, rng), rng),
        network=network,
        curve=curve,
        alpha=alpha,
        gamma=gamma,
        mag_pivot=float(middle),
        mag_scale=float(max((high - low) / 2, 0.1)),
        network_share=share,
        hold_out_fraction=_hold_out_fraction(tile),
        match_auc=tuple(found.matching.auc for found in samples),
        n_labelled=tile.n_labelled,
    )


def _hold_out_fraction(tile: Tile) -> float:
    """Share of the labelled galaxies that no fit sees."""
    return HOLD_OUT_FRACTION if tile.n_labelled >= MIN_LABELLED_FOR_HOLD_OUT else 0.0


def _survey_selection(
    tile: Tile, basis: RadialBasis, frame: LuptitudeFrame
) -> tuple[FloatArray, float]:
    """Selection coefficients that all tiles are pooled towards; a logistic regression."""
    phi = basis(tile.photometry, frame, tile.extras)
    if tile.n_labelled < MIN_LABELLED or tile.n_labelled == tile.n_galaxies:
        return np.zeros(phi.shape[1]), -2.0
    fitted = LogisticRegression(C=1.0, max_iter=500).fit(phi, tile.is_labelled)
    return np.asarray(fitted.coef_[0], dtype=float), float(fitted.intercept_[0])


def _shipped(
    tile: Tile, model: ModelVersion, frame: LuptitudeFrame
) -> tuple[Mixture, MetaNetwork]:
    """Population and network of the model version, with the weights of the sky."""
    if model.population is None or model.network is None or model.bands != frame.bands:
        raise NoLabelsError(n_labelled=tile.n_labelled, model=model.name, bands=frame.bands)
    assert model.frame is not None  # a version has all three or none
    population = model.population.shifted(model.frame.softening, frame.softening)
    values, errors = frame.luptitudes(tile.photometry.take(np.arange(min(4000, tile.n_galaxies))))
    evidence = population.evaluate(values, errors)
    return reweight_mixture(population, evidence, prior_galaxies=1000.0), model.network


def _fit_labelled(
    tile: Tile,
    usable: Any,
    frame: LuptitudeFrame,
    basis: RadialBasis,
    seed: int,
    on_progress: Callable[[float], None],
) -> tuple[list[MatchedSample], Mixture]:
    """Matched samples of the usable labels, and the population fitted to them."""
    labelled = tile.take(tile.is_labelled & usable)
    unlabelled = tile.photometry.take(~tile.is_labelled)
    samples = matched_samples(
        labelled.photometry, labelled.z_spec, unlabelled, frame=frame, seed=seed
    )
    on_progress(0.1)
    population = fit_population(
        samples,
        unlabelled,
        frame=frame,
        seed=seed,
        on_progress=lambda done: on_progress(0.1 + 0.5 * done),
    )
    return samples, population


def _fit_network(
    tile: Tile,
    usable: Any,
    samples: list[MatchedSample],
    model: ModelVersion,
    frame: LuptitudeFrame,
    basis: RadialBasis,
    options: CalibrationOptions,
    seed: int,
    on_progress: Callable[[float], None],
) -> MetaNetwork:
    """Network meta-trained on the survey, from the shipped start where its bands fit."""
    import torch

    labelled = tile.take(tile.is_labelled & usable)
    source = SurveyTasks(
        samples,
        tile.photometry.take(~tile.is_labelled),
        frame=frame,
        context=basis.context.scores(labelled.extras, labelled.n_galaxies),
        seed=seed,
    )
    start = model.network
    if start is None or model.bands != frame.bands or start.architecture.head != options.head:
        architecture = Architecture(
            n_channels=CHANNELS, n_bands=len(frame.bands), head=options.head
        )
        weights = init_weights(architecture, generator=torch.Generator().manual_seed(seed))
        start = MetaNetwork(
            architecture=architecture,
            weights=weights,
            rates={name: torch.tensor(INITIAL_RATE) for name in weights},
            n_inner_steps=options.inner_steps,
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
        on_progress=lambda done, _loss: on_progress(0.6 + 0.35 * done),
    )


def _pool_share(
    tile: Tile,
    held: Any,
    population: Mixture,
    network: MetaNetwork,
    frame: LuptitudeFrame,
    basis: RadialBasis,
    options: CalibrationOptions,
    seed: int,
) -> float:
    """Share of the network, by the held-out labels dimmed and re-observed like the sky."""
    withheld = tile.take(tile.is_labelled & held)
    unlabelled = tile.photometry.take(~tile.is_labelled)
    if withheld.n_galaxies == 0 or unlabelled.n_galaxies == 0:
        return PRIOR_WEIGHT
    matched = matched_samples(
        withheld.photometry, withheld.z_spec, unlabelled, frame=frame, seed=seed
    )[0]
    rng = np.random.default_rng([seed, 31])
    n_draws = min(MAX_HELD_OUT, N_HELD_OUT_COPIES * withheld.n_galaxies)
    drawn = matched.draw(n_draws, power=0.5, rng=rng)
    flux_err = borrow_noise(drawn.photometry, unlabelled, frame=frame, rng=rng)
    observed = add_noise(drawn.photometry, flux_err, rng=rng)
    context = basis.context.scores(withheld.extras, withheld.n_galaxies)[drawn.parent]
    z_grid = redshift_grid(options)
    node = np.clip(np.searchsorted(z_grid, drawn.z_spec), 0, len(z_grid) - 1)
    rows = np.arange(len(node))
    evidence = population.evaluate(*frame.luptitudes(observed))
    from_selection = population.density(evidence, z_grid)[rows, node]
    outputs = network_outputs(network, observed, frame, context)
    from_network = outputs_density(outputs, z_grid, head=network.architecture.head)[rows, node]
    return fit_pool_weight(
        from_selection, from_network, np.ones(len(node)), n_independent=withheld.n_galaxies
    )


def _support_points(
    samples: list[MatchedSample],
    tile: Tile,
    frame: LuptitudeFrame,
    basis: RadialBasis,
    rng: np.random.Generator,
) -> FloatArray:
    """Basis values of the labelled galaxies and their dimmed copies."""
    if not samples:
        return np.empty((0, basis.whitening.shape[1]))
    unlabelled = tile.photometry.take(~tile.is_labelled)
    drawn = samples[0].draw(N_SUPPORT // 4, power=0.0, rng=rng)
    photometry: Photometry = drawn.photometry
    if unlabelled.n_galaxies:
        flux_err = borrow_noise(photometry, unlabelled, frame=frame, rng=rng)
        photometry = add_noise(photometry, flux_err, rng=rng)
    extras: Mapping[str, FloatArray] = {}
    return basis(photometry, frame, extras)
