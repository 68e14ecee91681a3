"""The noise-aware mixture against scipy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import random_mixture
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from hbmlc_models.photometry import luptitude
from hbmlc_models.selection.frame import UNOBSERVED_ERR
from hbmlc_models.selection.mixture import (
    Mixture,
    pool_mixtures,
    reweight_mixture,
)

N_BANDS = 4
Z_GRID = np.linspace(0, 4, 801)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def mixture(rng: np.random.Generator) -> Mixture:
    return random_mixture(rng)


def observe(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return 22 + rng.standard_normal((n, N_BANDS)), rng.uniform(0.01, 0.5, (n, N_BANDS))


def test_likelihood_is_that_of_scipy(rng: np.random.Generator, mixture: Mixture) -> None:
    values, errors = observe(rng, 6)

    found = mixture.evaluate(values, errors).log_likelihood

    # The kernel drops the constant -n/2 log 2π, which is the same for all components.
    wanted = [
        [
            multivariate_normal(m[1:], s[1:, 1:] + np.diag(e**2)).logpdf(v)
            for m, s in zip(mixture.means, mixture.covariances, strict=True)
        ]
        for v, e in zip(values, errors, strict=True)
    ]
    np.testing.assert_allclose(found - N_BANDS / 2 * np.log(2 * np.pi), wanted, rtol=1e-9)


@pytest.mark.parametrize(("n_bands", "n_components"), [(1, 1), (2, 9), (5, 8), (12, 17)])
def test_likelihood_is_that_of_scipy_for_any_number_of_bands(
    rng: np.random.Generator, n_bands: int, n_components: int
) -> None:
    mixture = random_mixture(rng, n_bands=n_bands, n_components=n_components)
    value, error = 22 + rng.standard_normal(n_bands), rng.uniform(0.01, 0.5, n_bands)

    found = mixture.evaluate(value[None], error[None])

    for k in range(n_components):
        mean, cov = mixture.means[k], mixture.covariances[k]
        total = cov[1:, 1:] + np.diag(error**2)
        wanted = multivariate_normal(mean[1:], total).logpdf(value)
        assert found.log_likelihood[0, k] - n_bands / 2 * np.log(2 * np.pi) == pytest.approx(wanted)
        gain = np.linalg.solve(total, cov[1:, 0])
        assert found.mean[0, k] == pytest.approx(mean[0] + gain @ (value - mean[1:]))
        assert found.variance[0, k] == pytest.approx(cov[0, 0] - gain @ cov[1:, 0])


def test_conditional_moments_are_those_of_a_normal(
    rng: np.random.Generator, mixture: Mixture
) -> None:
    values, errors = observe(rng, 5)

    evidence = mixture.evaluate(values, errors)

    for galaxy in range(5):
        for k in range(len(mixture.weights)):
            cov = mixture.covariances[k]
            gain = np.linalg.solve(cov[1:, 1:] + np.diag(errors[galaxy] ** 2), cov[1:, 0])
            mean = mixture.means[k, 0] + gain @ (values[galaxy] - mixture.means[k, 1:])
            assert evidence.mean[galaxy, k] == pytest.approx(mean, rel=1e-9)
            assert evidence.variance[galaxy, k] == pytest.approx(cov[0, 0] - gain @ cov[1:, 0])


def test_density_is_the_joint_density_along_redshift(
    rng: np.random.Generator, mixture: Mixture
) -> None:
    values, errors = observe(rng, 3)

    found = mixture.density(mixture.evaluate(values, errors), Z_GRID)

    for galaxy in range(3):
        noise = np.diag(np.concatenate([[0.0], errors[galaxy] ** 2]))
        points = np.column_stack(
            [np.log1p(Z_GRID), np.broadcast_to(values[galaxy], (len(Z_GRID), N_BANDS))]
        )
        joint = sum(
            w * multivariate_normal(m, s + noise).pdf(points)
            for w, m, s in zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
        )
        wanted = joint / (1 + Z_GRID)
        # Components below a share of 1e-5 are left out.
        np.testing.assert_allclose(found[galaxy], wanted / wanted.sum(), rtol=1e-4, atol=1e-7)


def test_density_sums_to_one_whatever_the_photometry(mixture: Mixture) -> None:
    values = np.array([[22.0] * N_BANDS, [60.0] * N_BANDS, [-20.0] * N_BANDS])
    errors = np.array([[UNOBSERVED_ERR] * N_BANDS, [0.01] * N_BANDS, [0.01] * N_BANDS])

    density = mixture.density(mixture.evaluate(values, errors), Z_GRID)

    np.testing.assert_allclose(density.sum(axis=1), 1.0, rtol=1e-12)


def test_unobserved_band_drops_out(rng: np.random.Generator, mixture: Mixture) -> None:
    values, errors = observe(rng, 8)
    values[:, 1] = 31.0  # of no consequence
    errors[:, 1] = UNOBSERVED_ERR
    keep = np.array([0, 1, 3, 4])
    marginal = Mixture(
        weights=mixture.weights,
        means=mixture.means[:, keep],
        covariances=mixture.covariances[:, keep[:, None], keep],
    )

    full = mixture.density(mixture.evaluate(values, errors), Z_GRID)
    less = marginal.density(
        marginal.evaluate(values[:, keep[1:] - 1], errors[:, keep[1:] - 1]), Z_GRID
    )

    # What is left of the band is (10 mag / 1000 mag)² / 2 in the exponent.
    np.testing.assert_allclose(full, less, rtol=5e-4, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(7)))
def test_permuting_galaxies_permutes_the_answer(order: list[int]) -> None:
    rng = np.random.default_rng(1)
    mixture = random_mixture(rng)
    values, errors = observe(rng, 7)

    straight = mixture.density(mixture.evaluate(values, errors), Z_GRID)
    permuted = mixture.density(mixture.evaluate(values[order], errors[order]), Z_GRID)

    np.testing.assert_array_equal(permuted, straight[order])


@pytest.mark.parametrize("prior_galaxies", [0.0, 3.0, 300.0])
def test_reweighting_never_lowers_the_likelihood(
    rng: np.random.Generator, mixture: Mixture, prior_galaxies: float
) -> None:
    evidence = mixture.evaluate(*observe(rng, 200))

    scores = []
    for n_iterations in (0, 1, 5, 50):
        found = reweight_mixture(
            mixture, evidence, prior_galaxies=prior_galaxies, n_iterations=n_iterations
        )
        np.testing.assert_allclose(found.weights.sum(), 1.0, rtol=1e-12)
        score = logsumexp(evidence.log_likelihood + np.log(found.weights), axis=1).sum()
        scores.append(score + prior_galaxies * mixture.weights @ np.log(found.weights))

    # Expectation maximisation climbs; the prior is the Dirichlet one of as many galaxies.
    assert np.all(np.diff(scores) > -1e-9)


def test_reweighting_keeps_components_and_recovers_their_mix(mixture: Mixture) -> None:
    rng = np.random.default_rng(8)
    n, errors = 4000, 0.05
    truth = np.array([0.5, 0.3, 0.15, 0.05])
    kind = rng.choice(4, n, p=truth)
    values = np.array([rng.multivariate_normal(mixture.means[k], mixture.covariances[k])[1:]
                       for k in kind])  # fmt: skip
    values += errors * rng.standard_normal(values.shape)
    evidence = mixture.evaluate(values, np.full(values.shape, errors))

    found = reweight_mixture(mixture, evidence, prior_galaxies=0.0)

    # Were the types known, the error would be binomial; overlap at most doubles it here.
    tolerance = 5 * 2 * np.sqrt(truth * (1 - truth) / n)
    assert np.all(np.abs(found.weights - truth) < tolerance)
    np.testing.assert_array_equal(found.means, mixture.means)
    np.testing.assert_array_equal(found.covariances, mixture.covariances)


def test_another_softening_changes_nothing_for_bright_galaxies(mixture: Mixture) -> None:
    old, new = np.full(N_BANDS, 1e-13), np.full(N_BANDS, 3e-13)

    shifted = mixture.shifted(old, new)

    np.testing.assert_allclose(shifted.means, mixture.means, atol=1e-6)


def test_another_softening_and_back_is_the_identity(mixture: Mixture) -> None:
    old, new = np.full(N_BANDS, 1e-9), np.full(N_BANDS, 4e-9)

    there = mixture.shifted(old, new)

    flux = 10 ** (-0.4 * 22.0)
    assert abs(luptitude(np.array(flux), new[0]) - luptitude(np.array(flux), old[0])) > 0.1
    np.testing.assert_allclose(there.shifted(new, old).means, mixture.means, rtol=1e-9)


def test_pool_is_the_weighted_mean_density(rng: np.random.Generator) -> None:
    one, two = random_mixture(rng), random_mixture(rng, n_components=3)
    both = pool_mixtures([one, two], np.array([0.25, 0.75]))

    z = norm(0.5, 0.2).rvs(5, random_state=1)
    for point in np.column_stack([z, 22 + rng.standard_normal((5, N_BANDS))]):
        densities = [
            sum(
                w * multivariate_normal(m, s).pdf(point)
                for w, m, s in zip(part.weights, part.means, part.covariances, strict=True)
            )
            for part in (one, two, both)
        ]
        assert densities[2] == pytest.approx(0.25 * densities[0] + 0.75 * densities[1])
