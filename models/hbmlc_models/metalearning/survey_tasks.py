"""Training tasks made of a survey's own labels: dimmed, matched, and re-observed with tile noise.

This is the posterior predictive of the survey-level model in its simplest form: the network learns
the noise-aware answer once and gives it back in microseconds.
"""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.metalearning.features import network_inputs
from hbmlc_models.metalearning.train import Task, draw_support_size
from hbmlc_models.photometry import Photometry, concatenate_photometry
from hbmlc_models.selection.dimming import add_noise, borrow_noise
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.population import MatchedSample

__all__ = ["SurveyTasks"]

POOL = 60_000
"""Re-observed galaxies that are kept; tasks are drawn from them."""
ZERO_POINT_SCATTER = 0.015
"""Zero-point differences between tiles [mag], one sigma: what adaptation is there to learn."""
MAX_DROPPED_BANDS = 0.03
"""Probability that a band of a training galaxy is treated as not observed."""
CONTEXT_DROPPED = 0.5
"""Probability that the optional columns of a training galaxy are withheld."""


class SurveyTasks:
    """Source of tasks made of dimmed and matched labels.

    ``context`` holds the standard scores of the optional columns of the labelled galaxies,
    ``(n_labelled, n_context)``.
    """

    def __init__(
        self,
        samples: list[MatchedSample],
        unlabelled: Photometry,
        *,
        frame: LuptitudeFrame,
        context: FloatArray,
        seed: int,
    ) -> None:
        rng = np.random.default_rng([seed, 11])
        self._frame = frame
        n_draws = POOL // len(samples)
        draws = [sample.draw(n_draws, power=0.75, rng=rng) for sample in samples]
        photometry = concatenate_photometry([draw.photometry for draw in draws])
        parent = np.concatenate([draw.parent for draw in draws])
        self._z_spec = np.concatenate([draw.z_spec for draw in draws])
        donors = unlabelled if unlabelled.n_galaxies else photometry
        flux_err = borrow_noise(photometry, donors, frame=frame, rng=rng)
        flux_err[rng.random(flux_err.shape) < MAX_DROPPED_BANDS] = np.nan
        self._photometry = photometry
        self._flux_err = flux_err
        self._context = context[parent]

    def pooled(self, n_galaxies: int, rng: np.random.Generator) -> Task:
        """Galaxies of the survey with fresh noise."""
        return self._observe(rng.integers(0, len(self._z_spec), n_galaxies), rng)

    def tasks(
        self, n_tasks: int, n_support: int, n_query: int, rng: np.random.Generator
    ) -> tuple[list[Task], list[Task]]:
        """Tiles with a zero-point shift of their own, and between no and all anchors."""
        supports: list[Task] = []
        queries: list[Task] = []
        for _ in range(n_tasks):
            chosen = rng.integers(0, len(self._z_spec), n_support + n_query)
            shift = ZERO_POINT_SCATTER * rng.standard_normal(self._photometry.n_bands)
            tile = self._observe(chosen, rng, shift=shift)
            k = draw_support_size(n_support, rng)
            supports.append(_slice(tile, 0, k))
            queries.append(_slice(tile, n_support, n_support + n_query))
        return supports, queries

    def _observe(
        self, chosen: IntArray, rng: np.random.Generator, *, shift: FloatArray | None = None
    ) -> Task:
        """Inputs of chosen galaxies, with noise drawn anew and zero points shifted [mag]."""
        photometry = self._photometry.take(chosen)
        if shift is not None:
            photometry = photometry.scaled(10 ** (-0.4 * shift))
        observed = add_noise(photometry, self._flux_err[chosen], rng=rng)
        context = self._context[chosen]
        # Half of the time without context: labels share it only in part with the sky.
        context = np.where(rng.random((len(chosen), 1)) < CONTEXT_DROPPED, 0.0, context)
        return Task(
            inputs=network_inputs(observed, self._frame, context),
            z_spec=self._z_spec[chosen],
            weight=np.ones(len(chosen)),
        )


def _slice(task: Task, start: int, stop: int) -> Task:
    """Some galaxies of a task."""
    rows = slice(start, stop)
    return Task(inputs=task.inputs[rows], z_spec=task.z_spec[rows], weight=task.weight[rows])
