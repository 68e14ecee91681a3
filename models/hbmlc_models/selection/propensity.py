"""The survey's own propensity, which the selection of every tile is pooled towards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from hbmlc_models.arrays import BoolArray, FloatArray

__all__ = ["SurveyPropensity", "fit_propensity", "given_redshift", "selection_strength"]

FULL_STRENGTH = 1.0
"""Spread of the logit of the propensity from which on a selection counts as strong."""
NEUTRAL_GAMMA = -2.0
"""Intercept where all galaxies or none are labelled: there is nothing to regress on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyPropensity:
    """Logistic regression of being labelled on the basis."""

    alpha: FloatArray
    """Coefficients, ``(n_basis,)``."""
    gamma: float
    """Intercept [logit]."""


def given_redshift(
    propensity: SurveyPropensity, basis: FloatArray, log_mean_factor: FloatArray
) -> SurveyPropensity:
    r"""Coefficients beside a dependence on redshift, which leave p(S=1 given F) as it is.

    A regression on photometry alone holds what redshift does, too. With β of its own the same
    propensity needs :math:`\alpha^T\Phi + \gamma + \log E_q[e^{-\beta z}]`, here projected on
    the ``basis`` ``(n_galaxies, n_basis)``; ``log_mean_factor`` ``(n_galaxies,)`` is the last term.
    """
    design = np.column_stack([np.ones(len(basis)), basis])
    extra = np.linalg.lstsq(design, log_mean_factor, rcond=None)[0]
    return SurveyPropensity(
        alpha=propensity.alpha + extra[1:], gamma=propensity.gamma + float(extra[0])
    )


def selection_strength(
    basis: FloatArray, is_labelled: BoolArray, propensity: SurveyPropensity
) -> float:
    """How strongly photometry decided on the labels: 0 not at all, 1 strongly.

    The spread of the logit over galaxies, less what a regression finds in labels at random.
    ``basis`` is ``(n_galaxies, n_basis)``.
    """
    share = float(is_labelled.mean())
    if share in {0.0, 1.0}:
        return 1.0
    by_chance = basis.shape[1] / (len(basis) * share * (1 - share))
    spread = float(np.var(basis @ propensity.alpha)) - by_chance
    return min(np.sqrt(max(spread, 0.0)) / FULL_STRENGTH, 1.0)


def fit_propensity(basis: FloatArray, is_labelled: BoolArray) -> SurveyPropensity:
    """Survey-level propensity; ``basis`` is ``(n_galaxies, n_basis)``."""
    if is_labelled.all() or not is_labelled.any():
        return SurveyPropensity(alpha=np.zeros(basis.shape[1]), gamma=NEUTRAL_GAMMA)
    fitted = LogisticRegression(C=1.0, max_iter=500).fit(basis, is_labelled)
    return SurveyPropensity(
        alpha=np.asarray(fitted.coef_[0], dtype=float), gamma=float(fitted.intercept_[0])
    )
