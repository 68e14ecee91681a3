"""Weights of labelled galaxies, and what they balance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from hbmlc_models.balance import (
    BalanceSums,
    balance_columns,
    kish_size,
    selection_odds,
)
from hbmlc_models.odds import MAX_RELATIVE_ODDS


def make_sample(n: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, propensities and labels that follow them."""
    rng = np.random.default_rng(3)
    features = rng.standard_normal((n, 2))
    propensity = expit(-1.0 - 0.8 * features[:, 0])
    return features, propensity, rng.random(n) < propensity


def test_true_odds_balance_what_decided_on_the_selection() -> None:
    features, propensity, labelled = make_sample()

    odds = selection_odds(propensity, labelled)
    found = BalanceSums.of(features, odds, labelled).balance()

    assert found.before[0] < -0.6
    assert np.all(np.abs(found.after) < 0.06)


def test_equal_weights_change_nothing() -> None:
    features, _, labelled = make_sample(500)

    found = BalanceSums.of(features, np.full(500, 3.0), labelled).balance()

    np.testing.assert_allclose(found.before, found.after)
    spread = np.sqrt(0.5 * (features[labelled].var(axis=0) + features[~labelled].var(axis=0)))
    wanted = (features[labelled].mean(axis=0) - features[~labelled].mean(axis=0)) / spread
    np.testing.assert_allclose(found.before, wanted)


def test_sums_of_parts_are_the_sums_of_the_whole() -> None:
    features, propensity, labelled = make_sample(400)
    features[::7, 1] = np.nan

    whole = BalanceSums.of(features, propensity, labelled)
    parts = [
        BalanceSums.of(features[rows], propensity[rows], labelled[rows])
        for rows in np.array_split(np.arange(400), 3)
    ]

    joined = (parts[0] + parts[1] + parts[2]).balance()
    np.testing.assert_allclose(joined.after, whole.balance().after)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_odds_are_truncated_relative_to_the_tile(values: list[float]) -> None:
    propensity = np.array(values)
    labelled = np.arange(len(values)) < max(1, len(values) // 4)

    odds = selection_odds(propensity, labelled)

    base = (~labelled).sum() / labelled.sum()
    assert np.all(odds[~labelled] == 0)
    assert np.all((odds[labelled] > 0) & (odds[labelled] <= MAX_RELATIVE_ODDS * base + 1e-9))


def test_no_labels_have_no_balance() -> None:
    found = BalanceSums.of(np.ones((4, 1)), np.zeros(4), np.zeros(4, bool)).balance()

    columns = balance_columns(found, ("mag_i",))
    assert set(columns) == {
        f"smd_{when}_{what}" for when in ("before", "after") for what in ("max", "mean", "mag_i")
    }
    assert all(np.isnan(value) for value in columns.values())


@pytest.mark.parametrize(("weight", "size"), [([1, 1, 1], 3.0), ([5, 0, 0], 1.0), ([], 0.0)])
def test_kish_size_counts_what_weighs(weight: list[float], size: float) -> None:
    assert kish_size(np.array(weight)) == pytest.approx(size)
