"""Anchors are few, well spread and never weighted to nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbmlc_models.anchors import N_STRATA, Anchors, stratified_anchors, top_anchors
from hbmlc_models.odds import MAX_RELATIVE_ODDS


def stratified(propensity: np.ndarray, *, n_anchors: int, seed: int = 0) -> Anchors:
    candidates = 10 + 3 * np.arange(len(propensity))
    rng = np.random.default_rng(seed)
    return stratified_anchors(candidates, propensity, n_anchors=n_anchors, rng=rng)


propensities = hnp.arrays(float, st.integers(0, 80), elements=st.floats(0, 1))


@given(propensity=propensities, n_anchors=st.integers(0, 50))
def test_anchors_are_distinct_candidates_and_at_most_n(
    propensity: np.ndarray, n_anchors: int
) -> None:
    candidates = 10 + 3 * np.arange(len(propensity))
    for found in (
        stratified(propensity, n_anchors=n_anchors),
        top_anchors(candidates, propensity, n_anchors=n_anchors),
    ):
        assert len(found.index) == min(n_anchors, len(propensity))
        assert set(found.index) <= set(candidates)
        assert np.all(np.diff(found.index) > 0)


@given(propensity=propensities.filter(len), n_anchors=st.integers(1, 50))
def test_weights_are_finite_with_mean_one(propensity: np.ndarray, n_anchors: int) -> None:
    weight = stratified(propensity, n_anchors=n_anchors).weight

    assert np.all(np.isfinite(weight) & (weight > 0))
    assert weight.mean() == pytest.approx(1.0)


def test_weights_follow_truncated_inverse_odds() -> None:
    propensity = np.array([0.01, 0.2, 0.5, 0.5, 0.8])

    weight = stratified(propensity, n_anchors=5).weight

    odds = np.array([MAX_RELATIVE_ODDS, 4.0, 1.0, 1.0, 0.25])
    np.testing.assert_allclose(weight, odds / odds.mean())


@given(rarity=st.floats(1e-4, 1.0))
def test_weights_tell_anchors_apart_however_rare_labels_are(rarity: float) -> None:
    weight = stratified(rarity * np.array([0.02, 0.05, 0.1]), n_anchors=3).weight

    assert weight[0] > 1.5 * weight[1] > 2 * weight[2]


def test_stratified_anchors_cover_all_strata_evenly() -> None:
    propensity = np.random.default_rng(1).beta(8, 2, 1000)

    found = stratified(propensity, n_anchors=50)

    edges = np.quantile(propensity, np.linspace(0, 1, N_STRATA + 1))
    counts, _ = np.histogram(propensity[(found.index - 10) // 3], edges)
    np.testing.assert_array_equal(counts, 10)


def test_top_anchors_are_the_most_likely() -> None:
    propensity = np.random.default_rng(2).random(200)

    found = top_anchors(np.arange(200), propensity, n_anchors=50)

    assert set(found.index) == set(np.argsort(propensity)[-50:])
    np.testing.assert_array_equal(found.weight, 1.0)


def test_choice_is_a_function_of_the_generator() -> None:
    propensity = np.random.default_rng(3).random(200)

    one, same, other = (stratified(propensity, n_anchors=20, seed=s).index for s in (4, 4, 5))

    np.testing.assert_array_equal(one, same)
    assert set(one) != set(other)
