"""The pool leans towards what held-out galaxies favour."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from hbmlc_models.fusion import PRIOR_STRENGTH, PRIOR_WEIGHT, fit_pool_weight, pool

N = 500


def heights(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(size=N)


def test_weight_goes_to_the_better_part() -> None:
    worse, better = heights(1), 5 * heights(2)

    assert fit_pool_weight(worse, better, np.ones(N), n_independent=N) > 0.8
    assert fit_pool_weight(better, worse, np.ones(N), n_independent=N) < 0.1


def test_weight_maximises_the_penalised_score() -> None:
    one, two, weight = heights(3), heights(4), heights(5)

    found = fit_pool_weight(one, two, weight, n_independent=N)

    def loss(share: float) -> float:
        score = N * np.average(np.log((1 - share) * one + share * two), weights=weight)
        prior = PRIOR_WEIGHT * np.log(share) + (1 - PRIOR_WEIGHT) * np.log(1 - share)
        return -(score + PRIOR_STRENGTH * prior)

    best = minimize_scalar(loss, bounds=(1e-6, 1 - 1e-6), method="bounded").x
    assert found == pytest.approx(best, abs=1e-4)


def test_without_evidence_the_prior_stays() -> None:
    nothing = np.empty(0)

    assert fit_pool_weight(nothing, nothing, nothing, n_independent=0) == PRIOR_WEIGHT
    # Two parts that say the same are no evidence either.
    same = heights(6)
    assert fit_pool_weight(same, same, np.ones(N), n_independent=N) == pytest.approx(PRIOR_WEIGHT)


def test_copies_of_one_galaxy_are_little_evidence() -> None:
    worse, better = heights(1), 5 * heights(2)

    few = fit_pool_weight(worse, better, np.ones(N), n_independent=3)
    many = fit_pool_weight(worse, better, np.ones(N), n_independent=N)

    assert PRIOR_WEIGHT < few < PRIOR_WEIGHT + 3 / PRIOR_STRENGTH < many


def test_density_of_zero_is_survived() -> None:
    found = fit_pool_weight(np.zeros(N), np.zeros(N), np.ones(N), n_independent=N)

    assert 0 <= found <= 1


@pytest.mark.parametrize("share", [0.0, 0.35, 1.0])
def test_pool_integrates_to_one(share: float) -> None:
    z_grid = np.linspace(0, 3, 301)
    one, two = (np.random.default_rng(k).random((4, 301)) for k in (1, 2))
    one, two = (p / np.trapezoid(p, z_grid, axis=1)[:, None] for p in (one, two))

    pooled = pool(one, two, share)

    np.testing.assert_allclose(np.trapezoid(pooled, z_grid, axis=1), 1.0)
    # A linear pool never rules out what one of its parts allows.
    assert np.all(pooled >= np.minimum(one, two) - 1e-15)
