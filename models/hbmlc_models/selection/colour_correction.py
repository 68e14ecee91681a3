r"""A shipped population moved to the colours that this sky has.

Simulated galaxies are a few hundredths to some tenths of a magnitude off in colour: templates and
dust are not those of nature, nor zero points those of the survey. A correction that is smooth in
redshift,

.. math:: \delta_b(\zeta) = \sum_j B_j(\zeta)\, d_{jb}, \qquad \sum_b \delta_b = 0, \qquad
          \bar d_b \sim N(0, s_0^2), \quad d_{j+1,b} - d_{jb} \sim N(0, s_1^2),

is added to the means of all components, with :math:`\zeta = \log(1 + z)`. Two witnesses fix it by
expectation maximisation: labelled galaxies, whose redshift says which components may be theirs, and
the unlabelled sky, as far as the labels leave it unexplained. Proportions are free in both, so that
neither the selection of the labels nor another mix of galaxies poses as a correction; a grey one is
not tried. Galaxies unlike any type lose their influence. The sky alone knows a correction that is
common to all redshifts, and no more than that is asked of it.

Template photo-z correct likewise (Budavári et al. 2000, AJ 120, 1588; Ilbert et al. 2006, A&A 457,
841), from labels only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.linalg import helmert
from scipy.special import logsumexp, softmax
from threadpoolctl import threadpool_limits

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture, log_weights
from hbmlc_models.selection.sky_share import fit_sky_share
from hbmlc_models.thinning import evenly

__all__ = ["LabelledColours", "correct_colours"]

KNOTS = (0.1, 0.35, 0.6, 0.85, 1.1)
"""Places of the smooth functions in log(1 + z)."""
KNOT_WIDTH = 0.15
"""Their width."""
LEVEL_SCALE = 0.1
"""Prior spread of the mean correction [mag]."""
STEP_SCALE = 0.02
"""Prior spread of its change from one knot to the next [mag]."""
LABEL_STRENGTH = 300.0
"""Weight of the population's own proportions among labelled galaxies, in galaxies."""
N_LABEL_STEPS = 20
"""EM steps of these proportions in a round."""
N_SKY_STEPS = 10
"""EM steps of those of the sky in a round …"""
N_FIRST_STEPS = 40
"""… and in the first."""
MAX_LABELS, MAX_SKY = 600, 1_500
"""Galaxies that are used: with more of the sky it would outvote the labels."""
MAX_ROUNDS = 15
ENOUGH = 0.004
"""A round that moves no colour by more than this is the last [mag]."""
LEAST_SHARE = 1e-3
"""Less probable pairs of galaxy and component have no say."""
UNLIKE = 3.0
"""Galaxies with more chi square per dimension count less, in inverse proportion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledColours:
    """Labelled galaxies as witnesses; both ``(n_galaxies, 1 + n_bands)``."""

    values: FloatArray
    """log(1 + z) and luptitudes."""
    errors: FloatArray
    """Their errors, none of redshift."""

    @classmethod
    def of(cls, photometry: Photometry, z_spec: FloatArray, frame: LuptitudeFrame) -> Self:
        """Galaxies of redshift ``z_spec`` ``(n_galaxies,)``, thinned evenly to ``MAX_LABELS``."""
        rows = evenly(len(z_spec), MAX_LABELS)
        values, errors = frame.luptitudes(photometry.take(rows))
        return cls(
            values=np.column_stack([np.log1p(z_spec[rows]), values]),
            errors=np.column_stack([np.zeros(len(rows)), errors]),
        )


def correct_colours(
    shipped: Mixture,
    sky: tuple[FloatArray, FloatArray],
    log_learnt: FloatArray,
    labels: LabelledColours | None = None,
) -> Mixture:
    """Shipped population with the colours of this sky; its proportions stay as they are.

    ``sky`` holds luptitudes and errors of unlabelled galaxies, both ``(n_galaxies, n_bands)``, and
    ``log_learnt`` ``(n_galaxies,)`` their log density by what was learnt from labels: minus
    infinity where nothing was. ``labels`` are one galaxy or more.
    """
    if len(log_learnt) == 0:
        return shipped
    # One thread: sums in another order would give other bytes.
    with threadpool_limits(1):
        return _corrected(
            shipped, (sky[0][:MAX_SKY], sky[1][:MAX_SKY]), log_learnt[:MAX_SKY], labels
        )


def _corrected(
    shipped: Mixture,
    sky: tuple[FloatArray, FloatArray],
    log_learnt: FloatArray,
    labels: LabelledColours | None,
) -> Mixture:
    """Population after the rounds of expectation maximisation."""
    design = _Design.of(shipped, KNOTS if labels else KNOTS[:1])
    values = np.zeros(len(design.precision))
    share, label_weights = None, shipped.weights
    for number in range(MAX_ROUNDS):
        moved = design.moved(shipped, values)
        n_steps = N_SKY_STEPS if number else N_FIRST_STEPS
        share = fit_sky_share(moved, sky, log_learnt, start=share, n_iterations=n_steps)
        pull = design.pull(moved, share.belongs, *sky, joint=False)
        if labels:
            belongs, label_weights = _label_belongs(moved, label_weights, shipped.weights, labels)
            pull += design.pull(moved, belongs, labels.values, labels.errors, joint=True)
        curvature, force = pull.curvature + design.precision, pull.force
        step = np.linalg.solve(curvature, force - design.precision @ values)
        values = values + step
        if np.abs(design.offsets(step)).max() < ENOUGH:
            break
    return design.moved(shipped, values)


@dataclass(slots=True)
class _Pull:
    """Where galaxies want the correction to go: the normal equations of a Newton step."""

    curvature: FloatArray
    force: FloatArray

    def __add__(self, other: _Pull) -> _Pull:
        return _Pull(self.curvature + other.curvature, self.force + other.force)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Design:
    """The correction of every component as a linear function of few numbers."""

    smooth: FloatArray
    """Functions of redshift at each component, ``(n_components, n_functions)``; rows sum to one."""
    colours: FloatArray
    """Orthonormal directions of mean zero, ``(n_bands - 1, n_bands)``."""
    precision: FloatArray
    """Of the prior, square."""

    @classmethod
    def of(cls, shipped: Mixture, knots: Sequence[float]) -> Self:
        """Design for a population; one knot is the same correction at all redshifts."""
        distance = (shipped.means[:, :1] - np.array(knots)) / KNOT_WIDTH
        smooth = np.asarray(softmax(-0.5 * distance**2, axis=1))
        steps = np.diff(np.eye(len(knots)), axis=0)
        mean = np.full(len(knots), 1 / len(knots))
        precision = steps.T @ steps / STEP_SCALE**2 + np.outer(mean, mean) / LEVEL_SCALE**2
        colours = helmert(shipped.means.shape[1] - 1)
        return cls(
            smooth=smooth,
            colours=colours,
            precision=np.kron(precision, np.eye(len(colours))),
        )

    def offsets(self, values: FloatArray) -> FloatArray:
        """Correction of each component [mag], ``(n_components, n_bands)``."""
        return self.smooth @ values.reshape(self.smooth.shape[1], -1) @ self.colours

    def moved(self, shipped: Mixture, values: FloatArray) -> Mixture:
        """Population with its correction."""
        means = shipped.means.copy()
        means[:, 1:] += self.offsets(values)
        return replace(shipped, means=means)

    def pull(
        self,
        moved: Mixture,
        belongs: FloatArray,
        values: FloatArray,
        errors: FloatArray,
        *,
        joint: bool,
    ) -> _Pull:
        """Pull of galaxies that belong to components with these probabilities.

        Where ``joint``, redshift is the first of their values, else these are the photometry alone.
        """
        first = 0 if joint else 1
        galaxy, component = np.nonzero(belongs > LEAST_SHARE)
        spread = moved.covariances[component, first:, first:].copy()
        diagonal = np.arange(spread.shape[1])
        spread[:, diagonal, diagonal] += errors[galaxy] ** 2
        precision = np.linalg.inv(spread)
        residual = values[galaxy] - moved.means[component, first:]
        wanted = np.einsum("nab,nb->na", precision, residual)
        chi_square = np.einsum("na,na->n", wanted, residual)
        limit = UNLIKE * len(diagonal)
        weight = belongs[galaxy, component] * np.minimum(1, limit / np.maximum(chi_square, limit))
        precision, wanted = precision[:, 1 - first :, 1 - first :], wanted[:, 1 - first :]
        by_colour = np.einsum("ca,nab,db->ncd", self.colours, precision, self.colours)
        smooth = self.smooth[component]
        weighted = weight[:, None] * smooth
        curvature = np.einsum("np,nq,ncd->pcqd", weighted, smooth, by_colour, optimize=True)
        force = np.einsum("np,nc->pc", weighted, wanted @ self.colours.T)
        return _Pull(curvature.reshape(self.precision.shape), force.ravel())


def _label_belongs(
    moved: Mixture, weights: FloatArray, prior: FloatArray, labels: LabelledColours
) -> tuple[FloatArray, FloatArray]:
    """Probability of labelled galaxies to be of each component, and proportions among them."""
    evidence = moved.evaluate(labels.values[:, 1:], labels.errors[:, 1:])
    terms = evidence.log_joint(labels.values[:, 0])
    belongs = np.empty(terms.shape)
    for _ in range(N_LABEL_STEPS):
        joint = terms + log_weights(weights)
        belongs = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
        weights = belongs.sum(axis=0) + LABEL_STRENGTH * prior
        weights = weights / weights.sum()
    return belongs, weights
