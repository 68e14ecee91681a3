"""The population of a survey: learnt from its labels, with physics where they do not reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hbmlc_models.base_models import ModelVersion
from hbmlc_models.pipeline.split import SampleSplit
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture, pool_mixtures
from hbmlc_models.selection.population import (
    MatchedSample,
    fit_population,
    matched_samples,
    sky_sample,
)
from hbmlc_models.selection.shipped_population import marginal, shipped_part

__all__ = ["LearntPopulation", "learn_population", "shipped_population"]

MIN_SHIPPED_BANDS = 3
"""A shipped population of fewer common bands says next to nothing about redshift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearntPopulation:
    """Population of a survey with what it was made of."""

    population: Mixture
    """Galaxy types of the sky."""
    samples: Sequence[MatchedSample]
    """Dimmed labels, matched to the sky."""
    shipped: Mixture | None
    """The shipped part of it alone."""
    shipped_share: float
    """Share of the sky that the shipped population explains better than the labels do."""


def learn_population(
    split: SampleSplit,
    model: ModelVersion,
    frame: LuptitudeFrame,
    *,
    seed: int,
    on_progress: Callable[[float], None],
) -> LearntPopulation:
    """Population fitted to the usable labels, blended with the model version's where there is."""
    labelled, unlabelled = split.labelled, split.unlabelled.photometry
    samples = matched_samples(
        labelled.photometry, labelled.z_spec, unlabelled, frame=frame, seed=seed
    )
    on_progress(0.25)
    population = fit_population(
        samples,
        unlabelled,
        frame=frame,
        seed=seed,
        on_progress=lambda done: on_progress(0.25 + 0.7 * done),
    )
    shipped, share = shipped_population(model, frame), 0.0
    if shipped is not None and unlabelled.n_galaxies:
        sky = sky_sample(unlabelled, frame, np.random.default_rng([seed, 41]))
        shipped, share = shipped_part(population, shipped, sky)
        population = pool_mixtures([population, shipped], np.array([1 - share, share]))
    return LearntPopulation(
        population=population, samples=samples, shipped=shipped, shipped_share=share
    )


def shipped_population(model: ModelVersion, frame: LuptitudeFrame) -> Mixture | None:
    """Population of the model version in the bands and softening of ``frame``, if it has them."""
    if model.population is None or model.frame is None or len(frame.bands) < MIN_SHIPPED_BANDS:
        return None
    if not set(frame.bands) <= set(model.bands):
        return None
    softening = model.frame.softening[[model.bands.index(band) for band in frame.bands]]
    population = marginal(model.population, model.bands, frame.bands)
    return population.shifted(softening, frame.softening)
