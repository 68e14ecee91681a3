"""Fits of a mixture against closed forms and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import random_mixture
from sklearn.mixture import GaussianMixture

from hbmlc_models.selection.frame import colour_matrix
from hbmlc_models.selection.mixture import MINIMUM_VARIANCE, luptitudes_from_colours
from hbmlc_models.selection.mixture_fit import fit_mixture

N_BANDS = 4


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_one_component_has_the_moments_of_the_sample(rng: np.random.Generator) -> None:
    luptitudes = 22 + rng.standard_normal((500, N_BANDS))
    log1p_z = rng.uniform(0.1, 0.9, 500)
    colours = luptitudes @ colour_matrix(N_BANDS, 2).T

    found = fit_mixture(log1p_z, colours, reference=2, n_components=1, seed=0)

    data = np.column_stack([log1p_z, luptitudes])
    np.testing.assert_allclose(found.means[0], data.mean(axis=0), rtol=1e-9)
    # The floor of the variance is 3e-5 in colours; a luptitude sums at most four of them.
    np.testing.assert_allclose(found.covariances[0], np.cov(data.T, bias=True), atol=4 * 3e-5)


def test_missing_colours_are_imputed(rng: np.random.Generator) -> None:
    colours = rng.standard_normal((300, N_BANDS))
    colours[rng.random(colours.shape) < 0.2] = np.nan

    found = fit_mixture(rng.uniform(0, 1, 300), colours, reference=2, n_components=3, seed=0)

    assert np.isfinite(found.means).all()
    assert np.all(np.linalg.eigvalsh(found.covariances) > 0)


def test_identical_galaxies_make_one_component() -> None:
    colours = np.tile([22.0, 0.5, 0.3, 0.1], (50, 1))

    found = fit_mixture(np.full(50, 0.4), colours, reference=2, n_components=9, seed=0)

    assert len(found.weights) == 1
    assert found.means[0, 0] == pytest.approx(0.4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_fit_is_that_of_scikit_learn(rng: np.random.Generator, seed: int) -> None:
    truth = random_mixture(rng, n_components=6)
    component = rng.choice(6, 2_000, p=truth.weights)
    root = np.linalg.cholesky(truth.covariances)[component]
    drawn = truth.means[component] + (root @ rng.standard_normal((2_000, 1 + N_BANDS, 1)))[:, :, 0]
    colours = drawn[:, 1:] @ colour_matrix(N_BANDS, 2).T
    data = np.column_stack([drawn[:, 0], colours])
    wanted = GaussianMixture(
        8,
        reg_covar=MINIMUM_VARIANCE,
        max_iter=150,
        init_params="k-means++",
        random_state=seed,
    ).fit(data)

    found = fit_mixture(drawn[:, 0], colours, reference=2, n_components=8, seed=seed)

    back = luptitudes_from_colours(N_BANDS, 2)
    np.testing.assert_allclose(found.weights, wanted.weights_, atol=1e-3)
    np.testing.assert_allclose(found.means, wanted.means_ @ back.T, atol=1e-2)
    np.testing.assert_allclose(
        found.covariances, back @ wanted.covariances_ @ back.T, rtol=0.02, atol=1e-2
    )
