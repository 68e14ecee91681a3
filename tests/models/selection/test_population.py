"""The population that labels stand for: drawn by weight, fitted the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import make_frame_of, make_photometry, random_mags

from hbmlc_models.selection.dimming import DimmedSample
from hbmlc_models.selection.matching import Matching
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.population import (
    DIMMINGS,
    MatchedSample,
    fit_population,
    matched_samples,
)

FRAME = make_frame_of()
LABELLED = make_photometry(random_mags(np.random.default_rng(1), 80) - 1)
SKY = make_photometry(random_mags(np.random.default_rng(2), 200))
NOBODY = SKY.take(np.empty(0, int))
Z_SPEC = np.random.default_rng(3).uniform(0.1, 1.5, 80)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hbmlc_models.selection.population.N_FIT", 500)
    monkeypatch.setattr("hbmlc_models.selection.population.COMPONENTS", (2, 3))


def fit(unlabelled: object = SKY) -> Mixture:
    samples = matched_samples(LABELLED, Z_SPEC, unlabelled, frame=FRAME, seed=4)
    return fit_population(samples, unlabelled, frame=FRAME, seed=4)


def test_copies_are_drawn_in_proportion_to_their_odds_to_a_power() -> None:
    odds = np.array([0.1, 1.0, 1.9])
    sample = MatchedSample(
        sample=DimmedSample(photometry=SKY.take(np.arange(3)), z_spec=odds, parent=np.arange(3)),
        matching=Matching(odds=odds, auc=0.5),
    )
    n = 20_000

    for power in (0.0, 0.5, 1.0):
        drawn = sample.draw(n, power=power, rng=np.random.default_rng(5))
        wanted = odds**power / (odds**power).sum()
        share = np.bincount(drawn.parent, minlength=3) / n
        assert np.all(np.abs(share - wanted) < 5 * np.sqrt(wanted * (1 - wanted) / n))
        np.testing.assert_array_equal(drawn.z_spec, odds[drawn.parent])


def test_there_is_a_matched_sample_for_each_dimming() -> None:
    samples = matched_samples(LABELLED, Z_SPEC, SKY, frame=FRAME, seed=4)

    assert len(samples) == len(DIMMINGS)
    for found in samples:
        np.testing.assert_array_equal(found.sample.z_spec, Z_SPEC[found.sample.parent])
        assert np.isfinite(found.matching.odds).all()


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
