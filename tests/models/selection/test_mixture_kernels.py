"""The fused kernel against its parts, whatever the number of threads."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from galaxies import random_mixture
from scipy.special import logsumexp

from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.posterior import TilePosterior, corrected_density

Z_GRID = np.linspace(0, 3, 301)


@pytest.fixture
def mixture() -> Mixture:
    # More components than one block of the kernel, and not a multiple of it.
    return random_mixture(np.random.default_rng(1), n_components=150)


def observe(n: int, n_bands: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    return 22 + rng.standard_normal((n, n_bands)), rng.uniform(0.01, 0.5, (n, n_bands))


def test_fused_density_is_that_of_the_parts(mixture: Mixture) -> None:
    values, errors = observe(40, mixture.means.shape[1] - 1)

    fused = mixture.photometric_density(values, errors, Z_GRID)

    parts = mixture.density(mixture.evaluate(values, errors), Z_GRID)
    np.testing.assert_array_equal(fused, parts)


def test_log_density_is_that_of_the_parts(mixture: Mixture) -> None:
    values, errors = observe(40, mixture.means.shape[1] - 1)
    log1p_z = np.random.default_rng(4).uniform(0.1, 0.9, 40)

    photometry = mixture.log_density(values, errors)
    joint = mixture.log_density(values, errors, log1p_z)

    evidence, weights = mixture.evaluate(values, errors), np.log(mixture.weights)
    np.testing.assert_allclose(photometry, logsumexp(evidence.log_likelihood + weights, axis=1))
    np.testing.assert_allclose(joint, logsumexp(evidence.log_joint(log1p_z) + weights, axis=1))


def test_number_of_threads_changes_no_byte(mixture: Mixture) -> None:
    values, errors = observe(300, mixture.means.shape[1] - 1)
    rng = np.random.default_rng(3)
    posterior = TilePosterior(
        alpha=np.zeros((50, 1)),
        gamma=np.zeros(50),
        beta=rng.normal(-1, 0.5, 50),
        tilt=0.3 * rng.standard_normal((50, 2)),
    )
    most = numba.get_num_threads()
    found: list[bytes] = []

    for n_threads in (1, most):
        numba.set_num_threads(n_threads)
        density = mixture.photometric_density(values, errors, Z_GRID)
        answer = corrected_density(density, np.zeros(300), Z_GRID, posterior, is_selected=False)
        found.append(density.tobytes() + answer.tobytes())

    assert found[0] == found[1]


def test_galaxy_alone_is_judged_as_in_company(mixture: Mixture) -> None:
    values, errors = observe(9, mixture.means.shape[1] - 1)

    together = mixture.photometric_density(values, errors, Z_GRID)

    alone = [
        mixture.photometric_density(values[k : k + 1], errors[k : k + 1], Z_GRID)[0]
        for k in range(9)
    ]
    np.testing.assert_array_equal(np.stack(alone), together)
