"""SURVEY: what all tiles of a catalogue share, fitted once on a bounded sample of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.base_models import ModelVersion, covering_versions
from hbmlc_models.expected_loss import BIAS_PRICE
from hbmlc_models.metalearning.train import MetaNetwork
from hbmlc_models.photometry import Photometry, concatenate_photometry
from hbmlc_models.pipeline.both_parts import BothParts
from hbmlc_models.pipeline.options import BetaRule, CalibrationOptions, Preset, redshift_grid
from hbmlc_models.pipeline.redshift_range import settle_range
from hbmlc_models.pipeline.split import SampleSplit, split_sample
from hbmlc_models.pipeline.survey_calibration import survey_price, survey_recalibration
from hbmlc_models.pipeline.survey_fit import NoCurveError, NoLabelsError, SurveyFit
from hbmlc_models.pipeline.survey_network import fit_survey_network, network_share
from hbmlc_models.pipeline.survey_population import (
    LearntPopulation,
    borrow_population,
    learn_population,
)
from hbmlc_models.recalibration import UNCHANGED, Recalibration
from hbmlc_models.selection.basis import RadialBasis, fit_basis
from hbmlc_models.selection.curve import Curve, fit_curve
from hbmlc_models.selection.dimming import add_noise, borrow_noise
from hbmlc_models.selection.error_scale import with_error_scale
from hbmlc_models.selection.frame import LuptitudeFrame, make_frame
from hbmlc_models.selection.holdout import HOLD_OUT_FRACTION
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.population import MatchedSample
from hbmlc_models.selection.posterior import labelled_density
from hbmlc_models.selection.propensity import (
    SurveyPropensity,
    fit_propensity,
    given_redshift,
    selection_strength,
)
from hbmlc_models.selection.support import SupportMap, fit_support
from hbmlc_models.thinning import evenly
from hbmlc_models.tile import Tile

__all__ = ["SurveySample", "fit_survey"]

MIN_LABELLED = 8
"""With fewer labels nothing can be learnt from them: only a shipped version can serve."""
MIN_LABELLED_FOR_HOLD_OUT = 200
"""With fewer labels every one is needed for the fit."""
LEAST_BETA_SCALE = 0.2
"""Share of the prior spread of β that remains where photometry shows no selection at all."""
N_CENTRE = 4_000
"""Galaxies whose redshifts say what a dependence on redshift does to the propensity."""
N_SUPPORT = 5_000
"""Dimmed copies that the support map is made of."""


class SurveySample(Protocol):
    """A random part of a catalogue."""

    @property
    def tile(self) -> Tile:
        """The galaxies."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learnt:
    """Both halves of the answer at survey level."""

    frame: LuptitudeFrame
    """The survey's, with the scale of its errors."""
    population: Mixture
    network: MetaNetwork
    network_share: float
    shipped_share: float
    shipped_from: str
    recalibration: Recalibration
    bias_price: float
    samples: Sequence[MatchedSample]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """What is known of a survey before anything is learnt from its labels."""

    frame: LuptitudeFrame
    basis: RadialBasis
    propensity: SurveyPropensity
    beta_mean: float
    beta_scale: float


def fit_survey(
    sample: SurveySample,
    model: ModelVersion,
    options: CalibrationOptions,
    *,
    seed: int,
    largest_label: float | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> SurveyFit:
    """Fit population, selection and network of a survey, and settle its redshift grid.

    ``largest_label`` is that of the whole catalogue, which the sample may lack.

    Raises
    ------
    NoLabelsError
        There are next to no labels and no model version has a population of these bands.
    NoCurveError
        There are next to no labels and the preset is the seed's.
    """
    options = settle_range(options, sample.tile, model, largest_label=largest_label)
    z_grid = redshift_grid(options)
    tile = sample.tile.labels_within(float(z_grid[-1]))
    frame = make_frame(tile.photometry)
    setting = _look_at(tile, frame, options, seed=seed)
    fraction = HOLD_OUT_FRACTION if tile.n_labelled >= MIN_LABELLED_FOR_HOLD_OUT else 0.0
    split = split_sample(tile, hold_out_fraction=fraction, seed=seed)
    curve = _curve_of(split.labelled, frame, options, n_labelled=tile.n_labelled, seed=seed)
    learnt = _learn(split, model, options, setting, seed=seed, on_progress=on_progress)
    centre = setting.propensity
    if curve is None:
        frame = learnt.frame
        centre = _beside_beta(tile, replace(setting, frame=frame), learnt.population, z_grid)
    low, middle, high = np.quantile(frame.reference_mag(tile.photometry), [0.16, 0.5, 0.84])
    return SurveyFit(
        frame=frame,
        population=learnt.population,
        basis=setting.basis,
        support=_support(
            learnt.samples, split.unlabelled.photometry, setting.basis, frame, seed=seed
        ),
        network=learnt.network,
        curve=curve,
        alpha=centre.alpha,
        gamma=centre.gamma,
        beta_mean=setting.beta_mean,
        beta_scale=setting.beta_scale,
        recalibration=UNCHANGED if curve else learnt.recalibration,
        bias_price=BIAS_PRICE if curve else learnt.bias_price,
        mag_pivot=float(middle),
        mag_scale=float(max((high - low) / 2, 0.1)),
        network_share=learnt.network_share,
        shipped_share=learnt.shipped_share,
        shipped_from=learnt.shipped_from,
        hold_out_fraction=fraction,
        match_auc=tuple(found.matching.auc for found in learnt.samples),
        n_labelled=tile.n_labelled,
        z_max=float(z_grid[-1]),
        n_grid=len(z_grid),
    )


def _curve_of(
    labelled: Tile,
    frame: LuptitudeFrame,
    options: CalibrationOptions,
    *,
    n_labelled: int,
    seed: int,
) -> Curve | None:
    """Curve of the published preset; ``None`` with any other."""
    if options.preset is not Preset.SEED:
        return None
    if n_labelled < MIN_LABELLED:
        raise NoCurveError(n_labelled=n_labelled)
    return fit_curve(labelled.photometry, labelled.z_spec, frame, seed=seed)


def _look_at(
    tile: Tile, frame: LuptitudeFrame, options: CalibrationOptions, *, seed: int
) -> _Setting:
    """Basis, propensity and prior of β of a survey."""
    basis = fit_basis(tile.photometry, frame, tile.extras, seed=seed)
    phi = basis(tile.photometry, frame, tile.extras)
    propensity = fit_propensity(phi, tile.is_labelled)
    strength = 1.0
    if options.beta_rule is BetaRule.EVIDENCE:
        # With next to no labels the population is the whole sky's, not that of selected galaxies.
        is_learnt = tile.n_labelled >= MIN_LABELLED
        strength = selection_strength(phi, tile.is_labelled, propensity) if is_learnt else 0.0
    return _Setting(
        frame=frame,
        basis=basis,
        propensity=propensity,
        beta_mean=options.beta_mean * strength,
        beta_scale=options.beta_scale * max(strength, LEAST_BETA_SCALE),
    )


def _beside_beta(
    tile: Tile, setting: _Setting, population: Mixture, z_grid: FloatArray
) -> SurveyPropensity:
    """Survey's coefficients at the mean of β, towards which tiles are pooled.

    Those of the regression belong to β = 0 and would pull every tile there.
    """
    rows = evenly(tile.n_galaxies, N_CENTRE)
    seen = tile.take(rows)
    density = labelled_density(seen.photometry, setting.frame, population, z_grid)
    log_factor = np.log(density @ np.exp(-setting.beta_mean * z_grid))
    phi = setting.basis(seen.photometry, setting.frame, seen.extras)
    return given_redshift(setting.propensity, phi, log_factor)


def _learn(
    split: SampleSplit,
    model: ModelVersion,
    options: CalibrationOptions,
    setting: _Setting,
    *,
    seed: int,
    on_progress: Callable[[float], None],
) -> _Learnt:
    """Population and network from the survey's own labels, or from what is shipped."""
    frame, context = setting.frame, setting.basis.context
    found = _population(split, model, options, setting, seed=seed, on_progress=on_progress)
    frame = with_error_scale(frame, found.population, split.unlabelled.photometry, seed=seed)
    network = fit_survey_network(
        split,
        found,
        model,
        options,
        frame=frame,
        context=context,
        seed=seed,
        on_progress=lambda done: on_progress(0.6 + 0.35 * done),
    )
    parts = BothParts(
        frame=frame,
        context=context,
        population=found.population,
        network=network,
        z_grid=redshift_grid(options),
    )
    share = network_share(split, parts, options, seed=seed)
    recalibration = survey_recalibration(
        split, parts, setting.basis, setting.propensity, share=share
    )
    return _Learnt(
        frame=frame,
        population=found.population,
        network=network,
        network_share=share,
        shipped_share=found.blend.share if found.blend else 0.0,
        shipped_from=found.blend.source if found.blend else "",
        recalibration=recalibration,
        bias_price=survey_price(
            split.unlabelled, parts, recalibration, share=share, beta=setting.beta_mean
        ),
        samples=found.samples,
    )


def _population(
    split: SampleSplit,
    model: ModelVersion,
    options: CalibrationOptions,
    setting: _Setting,
    *,
    seed: int,
    on_progress: Callable[[float], None],
) -> LearntPopulation:
    """Population learnt from labels, or a shipped one where there are next to none."""
    frame = setting.frame
    versions = _competing(model, frame)
    if split.labelled.n_galaxies >= MIN_LABELLED:
        return learn_population(
            split,
            versions,
            frame,
            beta=setting.beta_mean,
            dimming=options.dimming,
            seed=seed,
            on_progress=lambda done: on_progress(0.6 * done),
        )
    sky = concatenate_photometry([split.unlabelled.photometry, split.labelled.photometry])
    found = borrow_population(sky, versions, frame, seed=seed)
    if found is None:
        raise NoLabelsError(
            n_labelled=split.labelled.n_galaxies, model=model.name, bands=frame.bands
        )
    return found


def _competing(model: ModelVersion, frame: LuptitudeFrame) -> list[ModelVersion]:
    """The model version, and the shipped ones of other cameras with these bands."""
    others = covering_versions(frame.bands)
    return [model, *(other for other in others if other.digest != model.digest)]


def _support(
    samples: Sequence[MatchedSample],
    unlabelled: Photometry,
    basis: RadialBasis,
    frame: LuptitudeFrame,
    *,
    seed: int,
) -> SupportMap:
    """Where labelled galaxies and their copies, dimmed as little as needed, are in photometry."""
    rng = np.random.default_rng([seed, 21])
    points: FloatArray = np.empty((0, basis.whitening.shape[1]))
    if samples:
        photometry = samples[0].draw(N_SUPPORT, power=0.0, rng=rng).photometry
        if unlabelled.n_galaxies:
            flux_err = borrow_noise(photometry, unlabelled, frame=frame, rng=rng)
            photometry = add_noise(photometry, flux_err, rng=rng)
        # The optional columns of dimmed copies are those of their parents: they stay out.
        points = basis(photometry, frame, {})
    return fit_support(points, rng)
