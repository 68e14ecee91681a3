"""The redshift of least expected loss, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from hbmlc_models.arrays import FloatArray
from hbmlc_models.expected_loss import (
    BIAS_PRICE,
    LOSS_SCALE,
    MAX_LEAPING,
    MAX_PRICE,
    bias_price,
    least_loss,
)
from hbmlc_models.metrics import CATASTROPHIC_THRESHOLD

Z_GRID = np.linspace(0, 3, 151)
ERROR = Z_GRID[None] - Z_GRID[:, None]
"""Of each answer (columns) for each truth (rows)."""
RISK = np.minimum(np.abs(ERROR) / (1 + Z_GRID[:, None]) / LOSS_SCALE, 1)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), slope=st.floats(-3, 3))
def test_answer_is_as_good_as_the_best_of_all(seed: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    pdf = norm(rng.uniform(0, 3, (5, 2, 1)), rng.uniform(0.02, 0.5, (5, 2, 1))).pdf(Z_GRID).sum(1)

    found = least_loss(pdf, Z_GRID, slope=slope)

    weight = pdf * np.exp(slope * Z_GRID)
    weight /= weight.sum(axis=1, keepdims=True)
    losses = weight @ (RISK - BIAS_PRICE * ERROR)
    at_found = np.arange(5), np.searchsorted(Z_GRID, found.z - 1e-9)
    np.testing.assert_allclose(losses[at_found], losses.min(axis=1), atol=1e-5)
    np.testing.assert_allclose(found.risk, (weight @ RISK)[at_found], atol=1e-5)


def test_of_two_peaks_nearly_as_likely_the_farther_is_chosen_and_the_likelier_else() -> None:
    def peaks(share: float) -> FloatArray:
        near, far = (norm(centre, 0.05).pdf(Z_GRID) for centre in (0.5, 1.0))
        return ((1 - share) * near + share * far)[None]

    nearly, clearly_not = (least_loss(peaks(share), Z_GRID).z[0] for share in (0.49, 0.4))

    assert nearly == pytest.approx(1.0, abs=0.03)
    assert clearly_not == pytest.approx(0.5, abs=0.03)


def test_answers_to_skewed_densities_are_less_short_of_their_mean() -> None:
    centre = np.linspace(0.3, 1.2, 40)[:, None]
    skewed = 0.6 * norm(centre, 0.05).pdf(Z_GRID) + 0.4 * norm(centre + 0.4, 0.3).pdf(Z_GRID)
    skewed /= skewed.sum(axis=1, keepdims=True)

    found = least_loss(skewed, Z_GRID).z

    without_price = Z_GRID[(skewed @ RISK).argmin(axis=1)]
    mean = skewed @ Z_GRID
    assert np.mean(without_price - mean) < np.mean(found - mean) < 0


def with_tails(most: float) -> FloatArray:
    """Densities of which up to a share lies beyond the peak."""
    rng = np.random.default_rng(3)
    centre, scatter = rng.uniform(0.3, 1.2, (4000, 1)), rng.uniform(0.03, 0.1, (4000, 1))
    share = most * rng.random((4000, 1))
    peak, tail = norm(centre, scatter).pdf(Z_GRID), norm(centre + 0.5, 0.2).pdf(Z_GRID)
    heights = (1 - share) * peak + share * tail
    return heights / heights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("most", [0.7, 0.85, 1.0])
def test_price_is_the_highest_at_which_next_to_no_answer_leaps(most: float) -> None:
    skewed = with_tails(most)
    plain = least_loss(skewed, Z_GRID, price=0.0).z

    def leaping(price: float) -> float:
        raised = least_loss(skewed, Z_GRID, price=price).z
        return float(np.mean((raised - plain) / (1 + plain) > CATASTROPHIC_THRESHOLD))

    price = bias_price(skewed, Z_GRID)

    assert 0 < price < MAX_PRICE
    assert leaping(price) <= MAX_LEAPING < leaping(price + 1e-3)


def test_sharp_densities_have_the_highest_price_and_heavy_tails_a_low_one() -> None:
    sharp = norm(np.linspace(0.3, 1.2, 40)[:, None], 0.03).pdf(Z_GRID)

    assert bias_price(sharp, Z_GRID) == MAX_PRICE
    assert bias_price(with_tails(0.7), Z_GRID) < 0.5 * MAX_PRICE


def test_no_galaxies_have_the_usual_price() -> None:
    assert bias_price(np.empty((0, 151)), Z_GRID) == BIAS_PRICE


def test_risk_is_none_where_the_density_is_certain_and_large_where_it_is_flat() -> None:
    certain, flat = np.zeros(151), np.ones(151)
    certain[70] = 1.0

    found = least_loss(np.stack([certain, flat]), Z_GRID)

    assert (found.z[0], found.risk[0]) == (Z_GRID[70], pytest.approx(0, abs=1e-6))
    assert found.risk[1] > 0.7


@pytest.mark.parametrize("slope", [-200.0, 200.0])
def test_extreme_tilts_stay_finite(slope: float) -> None:
    pdf = norm(1.5, 0.1).pdf(Z_GRID)[None]

    found = least_loss(pdf, Z_GRID, slope=slope)

    assert np.isfinite(found.risk).all()
    assert 0 <= found.z[0] <= 3


def test_no_galaxies_have_no_answers() -> None:
    assert len(least_loss(np.empty((0, 151)), Z_GRID).z) == 0
