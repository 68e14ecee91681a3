"""Noise is taken out of a mixture as the formulas of extreme deconvolution say."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import random_mixture
from scipy.stats import multivariate_normal

from hbmlc_models.selection._conditioning import pack
from hbmlc_models.selection._fit_kernels import noisy_sums
from hbmlc_models.selection.deconvolution import deconvolve
from hbmlc_models.selection.frame import UNOBSERVED_ERR
from hbmlc_models.selection.mixture import Mixture, log_weights
from hbmlc_models.selection.mixture_fit import fit_mixture

N_BANDS = 4
REFERENCE = 2


def one_type(covariance: np.ndarray) -> Mixture:
    return Mixture(
        weights=np.ones(1), means=np.array([[0.5, 22.0, 21.0]]), covariances=covariance[None]
    )


def noisy_sample(
    truth: Mixture, errors: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    drawn = rng.multivariate_normal(truth.means[0], truth.covariances[0], len(errors))
    return drawn[:, 0], drawn[:, 1:] + errors * rng.standard_normal(errors.shape)


def test_sums_are_those_of_the_textbook() -> None:
    rng = np.random.default_rng(4)
    mixture = random_mixture(rng)
    values = mixture.means[0] + rng.standard_normal((5, 1 + N_BANDS))
    noise = rng.uniform(0, 0.5, (5, 1 + N_BANDS)) ** 2
    pairs = list(zip(mixture.means, mixture.covariances, strict=True))

    counts, shifts, scatters = noisy_sums(
        tuple(range(N_BANDS)),
        pack(mixture.means, mixture.covariances),
        log_weights(mixture.weights),
        values,
        noise,
        mixture.means,
        mixture.covariances,
        0.0,
    )

    density = np.array(
        [
            [multivariate_normal(m, s + np.diag(e)).pdf(x) for m, s in pairs]
            for x, e in zip(values, noise, strict=True)
        ]
    )
    share = density * mixture.weights
    share /= share.sum(axis=1, keepdims=True)
    for k, (mean, covariance) in enumerate(pairs):
        shift, scatter = np.zeros(1 + N_BANDS), np.zeros((1 + N_BANDS, 1 + N_BANDS))
        for weight, x, e in zip(share[:, k], values, noise, strict=True):
            gain = covariance @ np.linalg.inv(covariance + np.diag(e))
            offset = gain @ (x - mean)
            shift += weight * offset
            scatter += weight * (np.outer(offset, offset) + covariance - gain @ covariance)
        assert counts[k] == pytest.approx(share[:, k].sum(), rel=1e-9)
        np.testing.assert_allclose(shifts[k], shift, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(scatters[k], scatter, rtol=1e-7, atol=1e-10)


def test_scatter_behind_the_noise_is_recovered() -> None:
    rng = np.random.default_rng(5)
    covariance = np.array([[0.01, 0.02, 0.0], [0.02, 0.09, 0.03], [0.0, 0.03, 0.04]])
    n = 20_000
    errors = rng.uniform(0.1, 0.5, (n, 2))
    log1p_z, observed = noisy_sample(one_type(covariance), errors, rng)
    plain = one_type(np.cov(np.column_stack([log1p_z, observed]).T))

    found = deconvolve(
        plain, log1p_z, observed, errors, reference=1, copies_per_label=0.0
    ).covariances[0]

    # The error of a variance of n numbers is its size times sqrt(2/n); noise doubles it here.
    assert np.abs(found - covariance).max() < 5 * 2 * 0.2 * np.sqrt(2 / n)
    assert plain.covariances[0, 1, 1] > 1.5 * covariance[1, 1]


def test_few_labels_leave_the_plain_covariances() -> None:
    rng = np.random.default_rng(6)
    errors = np.full((200, 2), 0.5)
    log1p_z, observed = noisy_sample(one_type(np.diag([0.01, 0.04, 0.04])), errors, rng)
    plain = one_type(np.diag([0.01, 0.3, 0.3]))

    found = deconvolve(plain, log1p_z, observed, errors, reference=1, copies_per_label=1e6)

    np.testing.assert_allclose(found.covariances, plain.covariances, atol=1e-3)


def test_bands_that_were_not_observed_say_nothing() -> None:
    rng = np.random.default_rng(7)
    errors = np.full((300, N_BANDS), 0.05)
    values = 22 + rng.standard_normal((300, N_BANDS))
    log1p_z = 0.5 + 0.1 * values[:, 0] - 2
    errors[::2, 1] = UNOBSERVED_ERR
    plain = fit_mixture(log1p_z, values, reference=REFERENCE, n_components=2, seed=1)
    elsewhere = values.copy()
    elsewhere[::2, 1] += 3.0

    one, other = (
        deconvolve(plain, log1p_z, v, errors, reference=REFERENCE, copies_per_label=1.0)
        for v in (values, elsewhere)
    )

    np.testing.assert_allclose(one.means, other.means, atol=1e-4)
    np.testing.assert_allclose(one.covariances, other.covariances, atol=1e-4)
