"""Numbers read off densities, against closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from hbmlc_models.expected_loss import BIAS_PRICE, LOSS_SCALE
from hbmlc_models.pdf import (
    ODDS_HALF_WIDTH,
    normalise,
    point_estimates,
    quantile_rows,
)

Z_GRID = np.linspace(0, 3, 301)
MEAN = np.array([0.8, 1.2, 1.5])
STD = np.array([0.1, 0.15, 0.2])
NORMAL = norm(MEAN[:, None], STD[:, None])


@pytest.fixture
def pdf() -> np.ndarray:
    return normalise(NORMAL.pdf(Z_GRID), Z_GRID)


def random_pdf(seed: int, n: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, 3, (n, 3, 1))
    widths = rng.uniform(0.02, 0.5, (n, 3, 1))
    return normalise(norm(centres, widths).pdf(Z_GRID).sum(axis=1), Z_GRID)


def two_peaks() -> np.ndarray:
    heights = 0.6 * norm(0.5, 0.03).pdf(Z_GRID) + 0.4 * norm(2, 0.03).pdf(Z_GRID)
    return normalise(heights[None], Z_GRID)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-200, 1e200))
def test_normalised_density_integrates_to_one(seed: int, scale: float) -> None:
    found = normalise(scale * random_pdf(seed), Z_GRID)

    np.testing.assert_allclose(np.trapezoid(found, Z_GRID, axis=1), 1.0, rtol=1e-9)


def test_quantiles_of_a_normal_are_those_of_scipy(pdf: np.ndarray) -> None:
    levels = np.array([0.025, 0.16, 0.5, 0.84, 0.975])

    found = quantile_rows(pdf, Z_GRID, levels)

    # A node every 0.01: linear interpolation of the cdf errs by step² / (8 σ) at most.
    np.testing.assert_allclose(found, NORMAL.ppf(levels), atol=5e-4)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_quantiles_are_ordered(seed: int) -> None:
    found = point_estimates(random_pdf(seed), Z_GRID)

    assert np.all(np.diff(found.quantiles, axis=1) >= 0)
    assert np.all((found.quantiles >= 0) & (found.quantiles <= 3))


def test_moments_of_a_normal(pdf: np.ndarray) -> None:
    found = point_estimates(pdf, Z_GRID)

    np.testing.assert_allclose(found.mean, MEAN, atol=1e-4)
    np.testing.assert_allclose(found.std, STD, atol=1e-4)
    np.testing.assert_allclose(found.mode, MEAN, atol=1e-9)


def test_odds_are_the_probability_near_the_mode(pdf: np.ndarray) -> None:
    half = ODDS_HALF_WIDTH * (1 + MEAN)

    found = point_estimates(pdf, Z_GRID).odds

    np.testing.assert_allclose(found, 2 * norm.cdf(half / STD) - 1, atol=2e-3)


def loss(answer: float, z: float) -> float:
    return min(abs(answer - z) / (1 + z) / LOSS_SCALE, 1.0) + BIAS_PRICE * (z - answer)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_best_estimate_has_least_expected_loss(seed: int) -> None:
    pdf = random_pdf(seed, n=2)

    found = point_estimates(pdf, Z_GRID).best

    for row, best in zip(pdf, found, strict=True):
        losses = [
            sum(p * loss(answer, z) for p, z in zip(row, Z_GRID, strict=True))
            for answer in Z_GRID[::10]
        ]
        at_best = sum(p * loss(best, z) for p, z in zip(row, Z_GRID, strict=True))
        # Single precision decides between answers that are equally good.
        assert at_best <= min(losses) + 1e-6 * row.sum()


def test_best_estimate_is_a_peak_and_not_between_two() -> None:
    pdf = two_peaks()

    found = point_estimates(pdf, Z_GRID)

    assert found.best[0] == pytest.approx(0.5, abs=0.02)
    assert found.mean[0] == pytest.approx(1.1, abs=0.02)


def test_density_in_one_node_is_read_off_at_that_node() -> None:
    heights = np.zeros((1, 301))
    heights[0, 0] = 1.0

    found = point_estimates(normalise(heights, Z_GRID), Z_GRID)

    assert found.mode[0] == found.best[0] == 0.0
    assert found.std[0] == 0.0
    assert found.odds[0] == pytest.approx(1.0)
