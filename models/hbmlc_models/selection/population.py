"""The population that the labelled galaxies stand for: mixtures over dimmed and matched copies.

No single way of dimming wins on every survey, so several are fitted and pooled: dimmed a little and
dimmed far, and with the weight of the photometric match taken fully or at half power. What differs
between them is what the labels cannot tell; the pool is wider exactly there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.dimming import DimmedSample, add_noise, borrow_noise, dim_labelled
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.matching import Matching, match_photometry
from hbmlc_models.selection.mixture import (
    Mixture,
    fit_mixture,
    pool_mixtures,
    reweight_mixture,
)

__all__ = ["DIMMINGS", "MatchedSample", "fit_population", "matched_sample", "matched_samples"]

DIMMINGS = (1.5, 3.0)
"""How far labelled galaxies are dimmed at most [mag], one matched sample each."""
MATCH_POWERS = (0.5, 1.0)
"""Powers of the matching odds that are pooled: half trusts the labels more, one the sky."""
COMPONENTS = (24, 40)
"""Mixture sizes that are pooled: coarse ones hold where labels are few, fine ones where many."""
N_COPIES = 8
"""Dimmed copies of each labelled galaxy."""
MAX_COPIES = 60_000
"""Copies at most, so that large surveys take no longer than small ones."""
N_FIT = 20_000
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

    def draw(self, n_draws: int, *, power: float, rng: np.random.Generator) -> DimmedSample:
        """Draw copies in proportion to their odds to a power."""
        weight = self.matching.odds**power
        pick = rng.choice(len(weight), size=n_draws, p=weight / weight.sum())
        return DimmedSample(
            photometry=self.sample.photometry.take(pick),
            z_spec=self.sample.z_spec[pick],
            parent=self.sample.parent[pick],
        )


def matched_samples(
    labelled: Photometry,
    z_spec: FloatArray,
    unlabelled: Photometry,
    *,
    frame: LuptitudeFrame,
    seed: int,
) -> list[MatchedSample]:
    """One matched sample for each entry of ``DIMMINGS``; ``z_spec`` is ``(n_labelled,)``."""
    return [
        matched_sample(labelled, z_spec, unlabelled, index, frame=frame, seed=seed)
        for index in range(len(DIMMINGS))
    ]


def matched_sample(
    labelled: Photometry,
    z_spec: FloatArray,
    unlabelled: Photometry,
    index: int,
    *,
    frame: LuptitudeFrame,
    seed: int,
) -> MatchedSample:
    """Matched sample of the entry of ``DIMMINGS`` at ``index``; ``z_spec`` is ``(n_labelled,)``."""
    rng = np.random.default_rng([seed, index])
    sample = dim_labelled(
        labelled,
        z_spec,
        unlabelled,
        frame=frame,
        dim_at_most=DIMMINGS[index],
        n_copies=max(1, min(N_COPIES, MAX_COPIES // len(z_spec))),
        rng=rng,
    )
    if unlabelled.n_galaxies == 0:
        matching = Matching(odds=np.ones(len(sample.z_spec)), auc=float("nan"))
    else:
        flux_err = borrow_noise(sample.photometry, unlabelled, frame=frame, rng=rng)
        observed = add_noise(sample.photometry, flux_err, rng=rng)
        matching = match_photometry(
            frame.colours(observed), frame.colours(unlabelled), groups=sample.parent, seed=seed
        )
    return MatchedSample(sample=sample, matching=matching)


def fit_population(
    samples: list[MatchedSample],
    unlabelled: Photometry,
    *,
    frame: LuptitudeFrame,
    seed: int,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Mixture:
    """Pooled mixture of all matched samples; the unlabelled sky re-weights its components."""
    rng = np.random.default_rng([seed, len(samples)])
    fit_to = rng.permutation(unlabelled.n_galaxies)[:N_REWEIGHT]
    sky = frame.luptitudes(unlabelled.take(fit_to))
    plans = [(s, power, size) for s in samples for power in MATCH_POWERS for size in COMPONENTS]
    # Everything random is drawn here, so that the order in which fits end does not matter.
    drawn = [sample.draw(N_FIT, power=power, rng=rng) for sample, power, _ in plans]

    def fit(step: int) -> Mixture:
        return fit_mixture(
            np.log1p(drawn[step].z_spec),
            frame.colours(drawn[step].photometry),
            reference=frame.reference,
            n_components=plans[step][2],
            seed=seed + step,
        )

    mixtures: list[Mixture] = []
    # One thread of linear algebra each: two fits side by side beat one fit on two threads.
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as executor:
        for mixture in executor.map(fit, range(len(plans))):
            mixtures.append(_reweighted(mixture, sky))
            on_progress(len(mixtures) / len(plans))
    return pool_mixtures(mixtures)


def _reweighted(mixture: Mixture, sky: tuple[FloatArray, FloatArray]) -> Mixture:
    """Mixture with component weights informed by unlabelled luptitudes and errors."""
    if len(sky[0]) == 0:
        return mixture
    return reweight_mixture(mixture, mixture.evaluate(*sky), prior_galaxies=PRIOR_GALAXIES)
