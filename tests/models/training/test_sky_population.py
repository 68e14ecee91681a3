"""The population of the sky has the photometry of the survey's and other redshifts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from galaxies import random_mixture

from hbmlc_models.training.sky_population import sky_population

ERRORS = np.full(4, 0.05)


@pytest.mark.parametrize("beta", [-1.5, 0.0, 2.0])
def test_a_population_without_ambiguity_is_the_same_in_the_sky(beta: float) -> None:
    # Components far apart: photometry alone tells the redshift, whatever the selection.
    mixture = random_mixture(np.random.default_rng(1))
    apart = mixture.means + 10 * np.arange(4)[:, None] * np.array([0, 1, 1, 1, 1])
    mixture = replace(mixture, means=apart, covariances=np.tile(1e-4 * np.eye(5), (4, 1, 1)))

    sky = sky_population(mixture, errors=ERRORS, beta=beta)

    assert sky.weights == pytest.approx(mixture.weights, rel=1e-3)


def test_of_two_galaxies_that_look_the_same_the_sky_has_more_of_the_far_one() -> None:
    mixture = random_mixture(np.random.default_rng(2), n_components=2)
    means = np.array([[np.log1p(0.3), *np.full(4, 22.0)], [np.log1p(1.3), *np.full(4, 22.0)]])
    alike = replace(
        mixture,
        weights=np.array([0.5, 0.5]),
        means=means,
        covariances=np.tile(1e-3 * np.eye(5), (2, 1, 1)),
    )

    sky = sky_population(alike, errors=ERRORS, beta=-1.0)

    # p(S=1) falls as exp(-z): the odds of the far one rise by e for one unit of redshift.
    assert sky.weights[1] / sky.weights[0] == pytest.approx(np.e, rel=0.01)
    assert sky.weights.sum() == pytest.approx(1)


def test_without_dependence_on_redshift_nothing_changes() -> None:
    mixture = random_mixture(np.random.default_rng(3))

    assert sky_population(mixture, errors=ERRORS, beta=0.0).weights == pytest.approx(
        mixture.weights
    )
