"""The population of a survey: learnt from its labels, with physics where they do not reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.base_models import ModelVersion
from hbmlc_models.photometry import Photometry
from hbmlc_models.pipeline.options import Dimming
from hbmlc_models.pipeline.split import SampleSplit
from hbmlc_models.selection.colour_correction import LabelledColours, correct_colours
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture, log_density, reweight_mixture
from hbmlc_models.selection.population import (
    MatchedSample,
    fit_population,
    matched_samples,
    sky_sample,
)
from hbmlc_models.selection.redshift_shift import ColourTracks
from hbmlc_models.selection.shipped_population import (
    ALONE_STRENGTH,
    Blend,
    LabelReach,
    blend_populations,
    marginal,
)
from hbmlc_models.simulate.colour_tracks import colour_tracks
from hbmlc_models.simulate.filters import FILTER_SETS, FilterSet

__all__ = ["LearntPopulation", "borrow_population", "learn_population", "shipped_population"]

FAINTER_LABELS = 100
"""As many labels, or a twentieth, are fainter than where labels end in brightness."""
FARTHER_LABELS = 3
"""As many labels, or a thousandth, are farther than where they end in redshift."""
MIN_SHIPPED_BANDS = 3
"""A shipped population of fewer common bands says next to nothing about redshift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearntPopulation:
    """Population of a survey with what it was made of."""

    population: Mixture
    """Galaxy types of the sky."""
    samples: Sequence[MatchedSample]
    """Dimmed labels, matched to the sky."""
    blend: Blend | None
    """How a shipped population has part in it, if one has."""


def learn_population(
    split: SampleSplit,
    versions: Sequence[ModelVersion],
    frame: LuptitudeFrame,
    *,
    beta: float,
    dimming: Dimming,
    seed: int,
    on_progress: Callable[[float], None],
) -> LearntPopulation:
    """Population fitted to the usable labels, with that of a model version where there is one.

    All versions that know these bands compete; the sky's photometry decides between cameras.
    ``beta`` is the expected redshift dependence of the selection [per unit z].
    """
    labelled, unlabelled = split.labelled, split.unlabelled.photometry
    candidates = _candidates(versions, frame)
    sky = sky_sample(unlabelled, frame, np.random.default_rng([seed, 41]))
    samples = matched_samples(
        labelled.photometry,
        labelled.z_spec,
        unlabelled,
        frame=frame,
        seed=seed,
        tracks=_tracks(versions, candidates, sky, frame),
        dimmed=dimming is Dimming.SKY,
    )
    on_progress(0.25)
    population = fit_population(
        samples,
        unlabelled,
        frame=frame,
        seed=seed,
        on_progress=lambda done: on_progress(0.25 + 0.7 * done),
    )
    if not candidates or unlabelled.n_galaxies == 0:
        return LearntPopulation(population=population, samples=samples, blend=None)
    log_learnt = population.log_density(*sky)
    labels = LabelledColours.of(labelled.photometry, labelled.z_spec, frame)
    blend = blend_populations(
        population,
        {
            name: correct_colours(shipped, sky, log_learnt, labels)
            for name, shipped in candidates.items()
        },
        sky,
        reference=frame.reference,
        reach=_reach(frame.reference_mag(labelled.photometry), labelled.z_spec),
        labels=labels,
        beta=beta,
    )
    return LearntPopulation(population=blend.population, samples=samples, blend=blend)


def borrow_population(
    sky: Photometry, versions: Sequence[ModelVersion], frame: LuptitudeFrame, *, seed: int
) -> LearntPopulation | None:
    """Shipped population in the colours and proportions of this ``sky``, if there is one.

    For a catalogue with next to no labels. The first of the ``versions`` serves if it knows these
    bands, for the user or the filters chose it; else the one that explains the sky best.
    """
    seen = sky_sample(sky, frame, np.random.default_rng([seed, 41]))
    # Nothing was learnt from labels, so all of the sky is left to explain.
    log_learnt = np.full(len(seen[0]), -np.inf)
    found: list[Blend] = []
    candidates = _candidates(versions[:1], frame) or _candidates(versions, frame)
    for name, shipped in candidates.items():
        moved = correct_colours(shipped, seen, log_learnt)
        evidence = moved.evaluate(*seen)
        moved = reweight_mixture(moved, evidence, prior_galaxies=ALONE_STRENGTH)
        fit = log_density(evidence.log_likelihood, moved.weights).sum()
        found.append(Blend(population=moved, source=name, share=1.0, log_likelihood=float(fit)))
    if not found:
        return None
    best = max(found, key=lambda blend: blend.log_likelihood)
    return LearntPopulation(population=best.population, samples=(), blend=best)


def _candidates(versions: Sequence[ModelVersion], frame: LuptitudeFrame) -> dict[str, Mixture]:
    """Populations of the versions that know these bands, by version."""
    return {
        _label(version): shipped
        for version in versions
        if (shipped := shipped_population(version, frame)) is not None
    }


def _tracks(
    versions: Sequence[ModelVersion],
    candidates: Mapping[str, Mixture],
    sky: tuple[FloatArray, FloatArray],
    frame: LuptitudeFrame,
) -> ColourTracks | None:
    """Tracks in these bands of the camera whose population explains the sky best, if any does."""
    fits = {
        filters.name: _fit(shipped, sky)
        for version in versions
        if (shipped := candidates.get(_label(version))) is not None
        and (filters := _filters(version)) is not None
        and set(frame.bands) <= set(filters.bands)
    }
    return colour_tracks(max(fits, key=lambda name: fits[name]), frame.bands) if fits else None


def _fit(shipped: Mixture, sky: tuple[FloatArray, FloatArray]) -> float:
    """Log likelihood of the sky's photometry under a shipped population."""
    return float(shipped.log_density(*sky).sum())


def _filters(version: ModelVersion) -> FilterSet | None:
    """Filters that a version was simulated through; None for one of a survey."""
    recipe = version.card.get("recipe")
    name = cast("dict[str, Any]", recipe).get("filters") if isinstance(recipe, dict) else None
    return FILTER_SETS.get(str(name))


def _label(version: ModelVersion) -> str:
    """Name and number of a version."""
    return f"{version.name}:{version.version}"


def _reach(mag: FloatArray, z_spec: FloatArray) -> LabelReach:
    """Where next to no labels of brightness ``mag`` [mag] are left, both ``(n_labelled,)``."""
    n_fainter = min(FAINTER_LABELS, len(mag) // 20)
    n_beyond = max(FARTHER_LABELS, len(mag) // 1_000)
    return LabelReach(mag=_from_the_end(mag, n_fainter), z=_from_the_end(z_spec, n_beyond))


def _from_the_end(values: FloatArray, n_beyond: int) -> float:
    """Value that ``n_beyond`` others exceed, or all that there are."""
    return float(np.sort(values)[max(len(values) - 1 - n_beyond, 0)])


def shipped_population(model: ModelVersion, frame: LuptitudeFrame) -> Mixture | None:
    """Population of the model version in the bands and softening of ``frame``, if it has them."""
    if model.population is None or model.frame is None or len(frame.bands) < MIN_SHIPPED_BANDS:
        return None
    if not set(frame.bands) <= set(model.bands):
        return None
    softening = model.frame.softening[[model.bands.index(band) for band in frame.bands]]
    population = marginal(model.population, model.bands, frame.bands)
    return population.shifted(softening, frame.softening)
