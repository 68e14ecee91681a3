"""Matching weights pull a sample towards its target and say how far it was."""

from __future__ import annotations

import numpy as np
import pytest

from hbmlc_models.selection.matching import match_photometry

N = 1500


def test_identical_samples_cannot_be_told_apart() -> None:
    rng = np.random.default_rng(1)
    sample, target = rng.standard_normal((2, N, 2))

    found = match_photometry(sample, target, groups=np.arange(N), seed=0)

    # Mann & Whitney: standard deviation of the area under the curve without any difference.
    assert found.auc == pytest.approx(0.5, abs=5 * np.sqrt((2 * N + 1) / (12 * N**2)))
    assert np.median(np.abs(np.log(found.odds))) < 0.5


def test_shifted_sample_is_pulled_to_the_target() -> None:
    rng = np.random.default_rng(2)
    shift = 0.8
    sample = rng.standard_normal((N, 2))
    target = rng.normal((shift, 0.0), 1.0, (N, 2))

    found = match_photometry(sample, target, groups=np.arange(N), seed=0)

    mean = np.average(sample, axis=0, weights=found.odds)
    # The area under the curve of two normals is Φ(shift / √2) = 0.714.
    assert found.auc == pytest.approx(0.714, abs=0.05)
    n_effective = found.odds.sum() ** 2 / (found.odds**2).sum()
    tolerance = 4 / np.sqrt(n_effective) + 0.15 * shift  # noise, and shrinkage of the classifier
    assert mean[0] == pytest.approx(shift, abs=tolerance)
    assert mean[1] == pytest.approx(0.0, abs=tolerance)
    assert found.odds.mean() == pytest.approx(1.0)


def test_separable_samples_have_finite_odds() -> None:
    rng = np.random.default_rng(3)
    sample = rng.standard_normal((300, 1))

    found = match_photometry(sample, sample + 50, groups=np.arange(300), seed=0)

    assert np.isfinite(found.odds).all()
    assert found.auc > 0.99


def test_photometry_not_observed_is_no_obstacle() -> None:
    rng = np.random.default_rng(4)
    sample, target = rng.standard_normal((2, 200, 3))
    sample[rng.random(sample.shape) < 0.3] = np.nan

    assert np.isfinite(match_photometry(sample, target, groups=np.arange(200), seed=0).odds).all()


def test_band_that_nobody_observed_tells_nothing() -> None:
    rng = np.random.default_rng(6)
    sample, target = rng.standard_normal((2, 200, 2))
    blank = np.full((200, 1), np.nan)
    groups = np.arange(200)

    without = match_photometry(sample, target, groups=groups, seed=0)
    found = match_photometry(
        np.hstack([sample, blank]), np.hstack([target, blank]), groups=groups, seed=0
    )
    blind = match_photometry(blank, blank, groups=groups, seed=0)

    np.testing.assert_array_equal(found.odds, without.odds)
    np.testing.assert_array_equal(blind.odds, 1.0)


def test_copies_of_one_galaxy_do_not_vouch_for_each_other() -> None:
    rng = np.random.default_rng(5)
    # Forty parents with forty copies each: without grouping every copy would be recognised.
    parents = np.repeat(rng.standard_normal((40, 2)), 40, axis=0)
    target = rng.standard_normal((N, 2))

    found = match_photometry(parents, target, groups=np.repeat(np.arange(40), 40), seed=0)
    naive = match_photometry(parents, target, groups=np.arange(1600), seed=0)

    assert naive.auc > 0.8
    assert found.auc < naive.auc - 0.2


def test_too_few_galaxies_get_equal_weights() -> None:
    found = match_photometry(np.zeros((3, 2)), np.zeros((100, 2)), groups=np.arange(3), seed=0)

    np.testing.assert_array_equal(found.odds, 1.0)
    assert np.isnan(found.auc)
