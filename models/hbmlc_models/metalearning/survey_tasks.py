"""Training tasks made of a survey's own population, re-observed with tile noise.

This is the posterior predictive of the survey-level model in its simplest form: the network learns
the noise-aware answer once and gives it back in microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.metalearning.features import network_inputs
from hbmlc_models.metalearning.tasks import CONTEXT_DROPPED, Task, draw_support_size
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.context import CONDITIONS
from hbmlc_models.selection.dimming import add_noise, choose_donors
from hbmlc_models.selection.frame import LuptitudeFrame

__all__ = ["SurveyTasks", "TrainingPool"]

ZERO_POINT_SCATTER = 0.015
"""Zero-point differences between tiles [mag], one sigma: what adaptation is there to learn."""
MAX_DROPPED_BANDS = 0.03
"""Probability that a band of a training galaxy is treated as not observed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPool:
    """Galaxies nearly free of noise, of known redshift."""

    photometry: Photometry
    """Their fluxes."""
    z_spec: FloatArray
    """Their redshifts, ``(n_galaxies,)``."""
    context: FloatArray
    """Standard scores of their optional columns, ``(n_galaxies, n_context, n_bands)``."""


class SurveyTasks:
    """Source of tasks made of galaxies of known redshift, re-observed as the sky was.

    ``sky_context`` holds the scores of the optional columns of the unlabelled galaxies, alike.
    """

    def __init__(
        self,
        pool: TrainingPool,
        unlabelled: Photometry,
        sky_context: FloatArray,
        *,
        frame: LuptitudeFrame,
        seed: int,
    ) -> None:
        rng = np.random.default_rng([seed, 11])
        has_sky = unlabelled.n_galaxies > 0
        donors = unlabelled if has_sky else pool.photometry
        donor_context = sky_context if has_sky else pool.context
        # Noise and observing conditions are those of the same donor.
        donor = choose_donors(pool.photometry, donors, frame=frame, rng=rng)
        flux_err = np.where(donors.is_observed[donor], donors.flux_err[donor], np.nan)
        flux_err[rng.random(flux_err.shape) < MAX_DROPPED_BANDS] = np.nan
        context = pool.context.copy()
        context[:, CONDITIONS] = donor_context[donor][:, CONDITIONS]
        self._frame = frame
        self._photometry = pool.photometry
        self._z_spec = pool.z_spec
        self._flux_err = flux_err
        self._context = context

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
            photometry = photometry.dimmed(shift)
        observed = add_noise(photometry, self._flux_err[chosen], rng=rng)
        context = self._context[chosen]
        # Half of the time without context: labels share it only in part with the sky.
        context = np.where(rng.random((len(chosen), 1, 1)) < CONTEXT_DROPPED, 0.0, context)
        return Task(
            inputs=network_inputs(observed, self._frame, context),
            z_spec=self._z_spec[chosen],
            weight=np.ones(len(chosen)),
        )


def _slice(task: Task, start: int, stop: int) -> Task:
    """Some galaxies of a task."""
    rows = slice(start, stop)
    return Task(inputs=task.inputs[rows], z_spec=task.z_spec[rows], weight=task.weight[rows])
