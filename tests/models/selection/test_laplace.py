"""Mode and curvature against a normal and a density that is not finite."""

from __future__ import annotations

import numpy as np

from hbmlc_models.selection.laplace import fit_laplace


def test_normal_is_its_own_approximation() -> None:
    rng = np.random.default_rng(1)
    root = rng.standard_normal((4, 4)) / 2
    covariance = np.linalg.inv(np.eye(4) + root @ root.T)
    precision, mean = np.linalg.inv(covariance), rng.standard_normal(4)

    found = fit_laplace(
        lambda x: (-0.5 * (x - mean) @ precision @ (x - mean), -precision @ (x - mean)), 4
    )

    np.testing.assert_allclose(found.mode, mean, atol=1e-6)
    np.testing.assert_allclose(found.factor @ found.factor.T, covariance, rtol=1e-5, atol=1e-7)


def test_density_that_is_not_finite_leaves_valid_coordinates() -> None:
    found = fit_laplace(lambda x: (float("nan"), np.full(len(x), np.nan)), 3)

    np.testing.assert_array_equal(found.mode, np.zeros(3))
    np.testing.assert_allclose(np.abs(found.factor @ found.factor.T), np.eye(3))
