"""How strongly a selection depends on photometry, and what a survey's propensity says of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from hbmlc_models.selection.propensity import (
    SurveyPropensity,
    fit_propensity,
    given_redshift,
    selection_strength,
)

N = 20_000


def strength(slope: float, *, share: float = 0.3, seed: int = 1) -> float:
    rng = np.random.default_rng(seed)
    basis = rng.standard_normal((N, 6))
    labelled = rng.random(N) < expit(np.log(share / (1 - share)) + slope * basis[:, 0])
    return selection_strength(basis, labelled, fit_propensity(basis, labelled))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7])
def test_labels_at_random_have_no_strength(share: float) -> None:
    # Chance alone gives coefficients of 1/sqrt(n s (1-s)); their scatter is what may remain.
    by_chance = np.sqrt(6 / (N * share * (1 - share)))

    assert strength(0.0, share=share) < 1.5 * by_chance


@pytest.mark.parametrize("slope", [0.3, 0.6])
def test_strength_is_the_spread_of_the_logit(slope: float) -> None:
    assert strength(slope) == pytest.approx(slope, abs=0.05)


def test_strong_selections_count_alike() -> None:
    assert strength(2.0) == strength(3.0) == 1.0


@pytest.mark.parametrize("is_labelled", [True, False])
def test_one_kind_of_galaxies_shows_no_selection_and_keeps_the_prior(is_labelled: bool) -> None:  # noqa: FBT001
    basis = np.random.default_rng(2).standard_normal((50, 3))
    labelled = np.full(50, is_labelled)

    assert selection_strength(basis, labelled, fit_propensity(basis, labelled)) == 1.0


def test_coefficients_beside_a_dependence_on_redshift_leave_the_propensity_as_it_is() -> None:
    rng = np.random.default_rng(3)
    basis = rng.standard_normal((500, 4))
    propensity = SurveyPropensity(alpha=rng.standard_normal(4), gamma=-1.0)
    log_factor = 0.3 + basis @ np.array([0.5, -0.2, 0.0, 0.1])

    found = given_redshift(propensity, basis, log_factor)

    np.testing.assert_allclose(
        basis @ found.alpha + found.gamma - log_factor,
        basis @ propensity.alpha + propensity.gamma,
        atol=1e-10,
    )
