"""The population that labels stand for: drawn by weight, fitted the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import make_frame_of, make_photometry, random_mags

from hbmlc_models.selection.dimming import DimmedSample
from hbmlc_models.selection.matching import Matching
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.population import (
    REACHES,
    TRENDS,
    MatchedSample,
    draw_pooled,
    fit_population,
    matched_samples,
    sample_weights,
)

FRAME = make_frame_of()
LABELLED = make_photometry(random_mags(np.random.default_rng(1), 80) - 1)
SKY = make_photometry(random_mags(np.random.default_rng(2), 200))
NOBODY = SKY.take(np.empty(0, int))
Z_SPEC = np.random.default_rng(3).uniform(0.1, 1.5, 80)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hbmlc_models.selection.population.N_FIT", 500)
    monkeypatch.setattr("hbmlc_models.selection.population.N_COPIES", 2_000)
    monkeypatch.setattr("hbmlc_models.selection.population.MAX_COMPONENTS", 9)


def fit(unlabelled: object = SKY) -> Mixture:
    samples = matched_samples(LABELLED, Z_SPEC, unlabelled, frame=FRAME, seed=4)
    return fit_population(samples, unlabelled, frame=FRAME, seed=4)


def test_copies_are_drawn_in_proportion_to_their_odds_to_a_power() -> None:
    odds = np.array([0.1, 1.0, 1.9])
    sample = MatchedSample(
        sample=DimmedSample(photometry=SKY.take(np.arange(3)), z_spec=odds, parent=np.arange(3)),
        matching=Matching(odds=odds, auc=0.5),
        reach=1.0,
    )
    n = 20_000

    for power in (0.0, 0.5, 1.0):
        drawn = sample.draw(n, power=power, rng=np.random.default_rng(5))
        wanted = odds**power / (odds**power).sum()
        share = np.bincount(drawn.parent, minlength=3) / n
        assert np.all(np.abs(share - wanted) < 5 * np.sqrt(wanted * (1 - wanted) / n))
        np.testing.assert_array_equal(drawn.z_spec, odds[drawn.parent])


def test_there_is_a_matched_sample_for_each_reach_and_trend() -> None:
    samples = matched_samples(LABELLED, Z_SPEC, SKY, frame=FRAME, seed=4)

    assert [found.reach for found in samples] == [reach for reach in REACHES for _ in TRENDS]
    for found in samples:
        np.testing.assert_array_equal(found.sample.z_spec, Z_SPEC[found.sample.parent])
        assert np.isfinite(found.matching.odds).all()


def judged(auc: float, reach: float) -> MatchedSample:
    copies = DimmedSample(
        photometry=SKY.take(np.arange(3)), z_spec=np.full(3, auc), parent=np.arange(3)
    )
    return MatchedSample(sample=copies, matching=Matching(odds=np.ones(3), auc=auc), reach=reach)


def test_sample_told_from_the_sky_more_easily_than_its_rival_counts_less() -> None:
    samples = [judged(0.60, 1.0), judged(0.62, 1.0), judged(0.7, 2.0), judged(0.9, 2.0)]

    weights = sample_weights(samples)

    assert weights.sum() == pytest.approx(1)
    assert weights[0] / weights[1] == pytest.approx(np.e)
    assert weights[:2].sum() == pytest.approx(weights[2:].sum())
    assert weights[3] < 1e-4


def test_samples_without_evidence_count_alike() -> None:
    np.testing.assert_allclose(sample_weights([judged(np.nan, r) for r in (1, 1, 2, 2)]), 0.25)


def test_pooled_draws_follow_the_weights() -> None:
    samples = [judged(0.6, 1.0), judged(0.62, 1.0)]

    drawn = draw_pooled(samples, 1_000, power=1.0, rng=np.random.default_rng(6))

    counts = [len(part.z_spec) for part in drawn]
    np.testing.assert_allclose(counts, 1_000 * sample_weights(samples), atol=1)


def test_without_a_sky_all_copies_weigh_the_same() -> None:
    for found in matched_samples(LABELLED, Z_SPEC, NOBODY, frame=FRAME, seed=4):
        np.testing.assert_array_equal(found.matching.odds, 1.0)


@pytest.mark.parametrize("unlabelled", [SKY, NOBODY], ids=["sky", "nobody"])
def test_population_is_a_mixture_of_unit_weight(unlabelled: object) -> None:
    found = fit(unlabelled)

    assert found.weights.sum() == pytest.approx(1.0)
    assert np.all(np.linalg.eigvalsh(found.covariances) > 0)


def test_same_seed_gives_the_same_population() -> None:
    one, two = fit(), fit()

    np.testing.assert_array_equal(one.means, two.means)
    np.testing.assert_array_equal(one.weights, two.weights)
