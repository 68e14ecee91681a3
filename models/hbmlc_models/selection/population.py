"""The population that the labelled galaxies stand for: mixtures over dimmed and matched copies.

No single way of dimming wins on every survey, so several compete: parents near in brightness or
from farther away, with colours held or continued along their trend with brightness, and the
weight of the photometric match taken fully or at half power. What differs between them is what the
labels cannot tell; the pool is wider exactly there. A sample whose photometry is told from the sky
more easily than that of its rivals counts for less.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.colour_trend import colour_trend
from hbmlc_models.selection.deconvolution import deconvolve
from hbmlc_models.selection.dimming import (
    DimmedSample,
    add_noise,
    borrow_noise,
    dim_labelled,
    repeat_labelled,
)
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.matching import Matching, match_photometry
from hbmlc_models.selection.mixture import (
    Mixture,
    pool_mixtures,
    reweight_mixture,
)
from hbmlc_models.selection.mixture_fit import fit_mixture
from hbmlc_models.selection.redshift_shift import ColourTracks, RedshiftShift

__all__ = [
    "MatchedSample",
    "draw_pooled",
    "fit_population",
    "matched_sample",
    "matched_samples",
    "sample_weights",
    "sky_sample",
]

REACHES = (0.2, 2.0)
"""How much brighter the parents of a dimmed copy typically are [mag]: as near as there are enough,
and far but many."""
TRENDS = (False, True)
"""Whether colours follow their trend with brightness."""
MATCH_POWERS = (0.5, 1.0)
"""Powers of the matching odds that are pooled: half trusts the labels more, one the sky."""
LABELS_PER_COMPONENT = 30
"""A mixture has one component for as many labelled galaxies …"""
MIN_COMPONENTS, MAX_COMPONENTS = 8, 100
"""… between these numbers."""
MIN_REPEATS, MAX_REPEATS = 4, 8
"""Mixtures of each kind: where one ends up is partly chance, and the mean of several is nearer to
the truth than any; between these numbers …"""
COMPONENTS_OF_KIND = 192
"""… as many as together have about so many components: few are few opinions."""
AUC_SCALE = 0.02
"""A sample whose AUC is worse by this much than its best rival's counts e times less."""
N_COPIES = 24_000
"""Dimmed copies in a sample."""
N_FIT = 12_000
"""Copies drawn by weight for one mixture."""
N_REWEIGHT = 4_000
"""Unlabelled galaxies that inform the weights of the components."""
PRIOR_GALAXIES = 300.0
"""Weight of the labelled population in that update, in galaxies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedSample:
    """Dimmed copies of labelled galaxies with their match to the unlabelled photometry."""

    sample: DimmedSample
    """The copies."""
    matching: Matching
    """Their density-ratio weights and the evidence behind them."""
    reach: float
    """How much brighter parents typically are [mag]; zero where nothing is dimmed."""

    def draw(self, n_draws: int, *, power: float, rng: np.random.Generator) -> DimmedSample:
        """Draw copies in proportion to their odds to a power."""
        weight = self.matching.odds**power
        return self.sample.take(rng.choice(len(weight), size=n_draws, p=weight / weight.sum()))


def matched_samples(
    labelled: Photometry,
    z_spec: FloatArray,
    unlabelled: Photometry,
    *,
    frame: LuptitudeFrame,
    seed: int,
    tracks: ColourTracks | None = None,
    dimmed: bool = True,
) -> list[MatchedSample]:
    """A sample for each reach, with and without trend; ``z_spec`` is ``(n_labelled,)``.

    With ``tracks`` in the same bands copies are also moved along redshift. Unless ``dimmed`` they
    stay as bright as their parents.
    """
    trend = colour_trend(labelled, z_spec, frame)
    shift = RedshiftShift.of(labelled, z_spec, tracks) if tracks else None
    return [
        matched_sample(
            labelled,
            z_spec,
            unlabelled,
            frame=frame,
            reach=reach,
            trend=trend if with_trend else None,
            shift=shift,
            seed=seed,
        )
        for reach in (REACHES if dimmed else [0.0] * len(REACHES))
        for with_trend in TRENDS
    ]


def matched_sample(
    labelled: Photometry,
    z_spec: FloatArray,
    unlabelled: Photometry,
    *,
    frame: LuptitudeFrame,
    reach: float = REACHES[0],
    trend: FloatArray | None = None,
    shift: RedshiftShift | None = None,
    seed: int,
) -> MatchedSample:
    """Labelled galaxies dimmed to the sky and matched to it; ``z_spec`` is ``(n_labelled,)``.

    With a reach of zero they are as bright as they are, and only matched.
    """
    # All samples are drawn alike, so that only what they assume tells them apart.
    rng = np.random.default_rng([seed, 1])
    if reach > 0:
        sample = dim_labelled(
            labelled,
            z_spec,
            unlabelled,
            frame=frame,
            reach=reach,
            trend=trend,
            n_copies=N_COPIES,
            rng=rng,
        )
    else:
        sample = repeat_labelled(labelled, z_spec, n_copies=N_COPIES, rng=rng)
    if unlabelled.n_galaxies == 0:
        matching = Matching(odds=np.ones(len(sample.z_spec)), auc=float("nan"))
    else:
        flux_err = borrow_noise(sample.photometry, unlabelled, frame=frame, rng=rng)
        if shift:
            own = np.random.default_rng([seed, 2])
            sample = shift.shifted(sample, flux_err, frame=frame, rng=own)
        observed = add_noise(sample.photometry, flux_err, rng=rng)
        matching = match_photometry(
            frame.colours(observed), frame.colours(unlabelled), groups=sample.parent, seed=seed
        )
    return MatchedSample(sample=sample, matching=matching, reach=reach)


def sample_weights(samples: Sequence[MatchedSample]) -> FloatArray:
    """Weights of the samples by how well each meets the sky, ``(n_samples,)``; they sum to one.

    Samples of one reach are rivals; the reaches count alike, for a nearer reach always looks more
    like the sky, and a farther one has more parents.
    """
    auc = np.nan_to_num(np.array([found.matching.auc for found in samples]), nan=0.5)
    reach = np.array([found.reach for found in samples])
    best = np.array([auc[reach == own].min() for own in reach])
    weight = np.exp(-(auc - best) / AUC_SCALE)
    for own in np.unique(reach):
        weight[reach == own] /= weight[reach == own].sum()
    return weight / weight.sum()


def draw_pooled(
    samples: Sequence[MatchedSample], n_draws: int, *, power: float, rng: np.random.Generator
) -> list[DimmedSample]:
    """About ``n_draws`` copies from all samples, as many of each as its weight calls for."""
    counts = np.round(n_draws * sample_weights(samples)).astype(int)
    return [
        sample.draw(int(count), power=power, rng=rng)
        for sample, count in zip(samples, counts, strict=True)
    ]


def fit_population(
    samples: Sequence[MatchedSample],
    unlabelled: Photometry,
    *,
    frame: LuptitudeFrame,
    seed: int,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Mixture:
    """Pooled mixture of all matched samples; the unlabelled sky re-weights its components."""
    rng = np.random.default_rng([seed, len(samples)])
    sky = sky_sample(unlabelled, frame, rng)
    repeats = _n_repeats(samples)
    plans = [
        (sample, power, weight / len(MATCH_POWERS) / repeats)
        for sample, weight in zip(samples, sample_weights(samples), strict=True)
        for power in MATCH_POWERS
        for _ in range(repeats)
    ]
    # Everything random is drawn here, so that the order in which fits end does not matter.
    drawn = [sample.draw(N_FIT, power=power, rng=rng) for sample, power, _ in plans]

    def fit(step: int) -> Mixture:
        return _fit_drawn(drawn[step], frame, seed=seed + step)

    mixtures: list[Mixture] = []
    # One thread of linear algebra each: two fits side by side beat one fit on two threads.
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as executor:
        for mixture in executor.map(fit, range(len(plans))):
            mixtures.append(_reweighted(mixture, sky))
            on_progress(len(mixtures) / len(plans))
    return pool_mixtures(mixtures, np.array([weight for *_, weight in plans]))


def _fit_drawn(drawn: DimmedSample, frame: LuptitudeFrame, *, seed: int) -> Mixture:
    """Mixture of some copies, the noise of their parents taken out."""
    log1p_z = np.log1p(drawn.z_spec)
    n_parents = len(np.unique(drawn.parent))
    plain = fit_mixture(
        log1p_z,
        frame.colours(drawn.photometry),
        reference=frame.reference,
        n_components=_n_components(n_parents),
        seed=seed,
    )
    return deconvolve(
        plain,
        log1p_z,
        *frame.luptitudes(drawn.photometry),
        reference=frame.reference,
        copies_per_label=len(log1p_z) / n_parents,
    )


def _n_components(n_labels: int) -> int:
    """Components that as many labelled galaxies can pin."""
    return int(np.clip(n_labels // LABELS_PER_COMPONENT, MIN_COMPONENTS, MAX_COMPONENTS))


def _n_repeats(samples: Sequence[MatchedSample]) -> int:
    """Mixtures of each kind."""
    n_labels = max(len(np.unique(found.sample.parent)) for found in samples)
    repeats = COMPONENTS_OF_KIND // _n_components(n_labels)
    return int(np.clip(repeats, MIN_REPEATS, MAX_REPEATS))


def sky_sample(
    unlabelled: Photometry, frame: LuptitudeFrame, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Luptitudes and errors of random unlabelled galaxies, both ``(n_galaxies, n_bands)``."""
    chosen = rng.permutation(unlabelled.n_galaxies)[:N_REWEIGHT]
    return frame.luptitudes(unlabelled.take(chosen))


def _reweighted(mixture: Mixture, sky: tuple[FloatArray, FloatArray]) -> Mixture:
    """Mixture with component weights informed by unlabelled luptitudes and errors."""
    if len(sky[0]) == 0:
        return mixture
    return reweight_mixture(mixture, mixture.evaluate(*sky), prior_galaxies=PRIOR_GALAXIES)
