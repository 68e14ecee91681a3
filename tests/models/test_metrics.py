"""Figures of merit against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from hbmlc_models import metrics

Z_GRID = np.linspace(0.0, 3.0, 301)


def normal_pdfs(means: np.ndarray, sigma: float) -> np.ndarray:
    return norm.pdf(Z_GRID, means[:, None], sigma)


def test_nmad_of_normal_errors_is_their_sigma() -> None:
    rng = np.random.default_rng(1)
    z_spec = rng.uniform(0, 2, 200_000)

    z_phot = z_spec + 0.03 * (1 + z_spec) * rng.standard_normal(200_000)

    # The median absolute deviation has relative error 1.17/sqrt(n); five sigma.
    assert metrics.nmad(z_phot, z_spec) == pytest.approx(0.03, rel=0.013)
    assert metrics.nmad_centred(z_phot, z_spec) == pytest.approx(0.03, rel=0.013)
    assert metrics.sigma_iqr(z_phot, z_spec) == pytest.approx(0.03, rel=0.013)


def test_only_the_plain_nmad_sees_an_offset() -> None:
    z_spec = np.ones(5)
    z_phot = np.full(5, 1.1)

    assert metrics.nmad(z_phot, z_spec) == pytest.approx(0.074)
    assert metrics.nmad_centred(z_phot, z_spec) == pytest.approx(0.0)


def test_mean_bias_is_in_redshift_and_median_bias_is_scaled() -> None:
    z_spec = np.array([0.0, 1.0, 1.0])
    z_phot = np.array([0.0, 1.1, 1.2])

    assert metrics.bias_mean(z_phot, z_spec) == pytest.approx(0.1)
    assert metrics.bias_median(z_phot, z_spec) == pytest.approx(0.05)


def test_outliers_are_strictly_beyond_the_threshold() -> None:
    z_spec = np.zeros(4)
    z_phot = np.array([0.0, 0.15, 0.16, -0.5])

    assert metrics.outlier_fraction(z_phot, z_spec) == 0.5


def test_three_sigma_outliers_keep_the_floor() -> None:
    z_spec = np.zeros(100)
    z_phot = np.zeros(100)
    z_phot[:3] = [0.059, 0.061, 0.2]

    assert metrics.outlier_fraction_3sigma(z_phot, z_spec) == 0.02


def test_pit_of_calibrated_densities_is_uniform() -> None:
    rng = np.random.default_rng(2)
    means = rng.uniform(1, 2, 4000)
    z_spec = rng.normal(means, 0.1)

    values = metrics.pit(normal_pdfs(means, 0.1), Z_GRID, z_spec)

    assert metrics.pit_ks(values) < 1.95 / np.sqrt(4000)  # p = 0.001
    assert metrics.pit_outlier_rate(values) < 0.002


def test_pit_at_the_median_is_one_half() -> None:
    pdf = normal_pdfs(np.array([1.5]), 0.2)

    assert metrics.pit(pdf, Z_GRID, np.array([1.5])) == pytest.approx(0.5, abs=1e-6)


def test_cde_loss_of_a_normal_density_has_its_closed_form() -> None:
    pdf = normal_pdfs(np.array([1.5]), 0.2)
    z_spec = np.array([1.6])

    loss = metrics.cde_loss(pdf, Z_GRID, z_spec)

    expected = 1 / (2 * 0.2 * np.sqrt(np.pi)) - 2 * norm.pdf(1.6, 1.5, 0.2)
    assert loss == pytest.approx(expected, abs=2e-3)


def test_crps_of_a_normal_density_has_its_closed_form() -> None:
    pdf = normal_pdfs(np.array([1.5]), 0.2)

    score = metrics.crps(pdf, Z_GRID, np.array([1.63]))

    t = 0.13 / 0.2
    expected = 0.2 * (t * (2 * norm.cdf(t) - 1) + 2 * norm.pdf(t) - 1 / np.sqrt(np.pi))
    assert score == pytest.approx(expected, abs=1e-4)


def test_crps_outside_the_grid_grows_with_the_distance() -> None:
    pdf = normal_pdfs(np.array([1.5]), 0.2)

    near, far = (metrics.crps(pdf, Z_GRID, np.array([z])) for z in (3.0, 4.0))

    assert far - near == pytest.approx(1.0)


def test_brier_of_a_sure_hit_is_zero_and_of_a_sure_miss_two() -> None:
    pdf = np.zeros((1, 301))
    pdf[0, 100] = 100.0

    assert metrics.brier(pdf, Z_GRID, np.array([1.0])) == pytest.approx(0.0)
    assert metrics.brier(pdf, Z_GRID, np.array([2.0])) == pytest.approx(2.0)


@given(st.permutations(list(range(12))))
def test_scores_do_not_depend_on_the_order_of_galaxies(order: list[int]) -> None:
    means = np.linspace(0.5, 2.5, 12)
    pdf, z_spec = normal_pdfs(means, 0.1), means + 0.05

    for score in (metrics.cde_loss, metrics.crps, metrics.brier):
        assert score(pdf[order], Z_GRID, z_spec[order]) == pytest.approx(score(pdf, Z_GRID, z_spec))
