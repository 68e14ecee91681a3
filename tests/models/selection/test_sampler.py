"""What becomes of a tile that cannot be sampled."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from hbmlc_models.selection import sampler
from hbmlc_models.selection._tile_kernels import log_likelihood
from hbmlc_models.selection.fallback import no_chains, survey_draws
from hbmlc_models.selection.quadrature import gauss_nodes
from hbmlc_models.selection.sampler import Convergence, Draws, SamplingFailedError, sample_nuts
from hbmlc_models.selection.tile_model import (
    TileData,
    TilePriors,
    compiled_tile_model,
    tile_data_arrays,
)

NAMES = ("alpha", "gamma", "beta", "tilt")
PRIORS = TilePriors(alpha=np.array([0.3, -0.2]), gamma=-0.5, beta_mean=-1.0, beta_scale=0.5)
Z_GRID = np.linspace(0, 3, 301)


def make_data(n: int, *, is_labelled: bool | None = None, identical: bool = False) -> TileData:
    rng = np.random.default_rng(1)
    width = 0.05 if identical else rng.uniform(0.05, 0.5, (n, 1))
    density = norm.pdf(Z_GRID, 0.7 if identical else rng.uniform(0.2, 1.5, (n, 1)), width)
    density = np.broadcast_to(density, (n, len(Z_GRID)))
    labelled = rng.random(n) < 0.4 if is_labelled is None else np.full(n, is_labelled)
    return TileData(
        basis=np.zeros((n, 2)) if identical else rng.standard_normal((n, 2)),
        nodes=gauss_nodes(density / density.sum(axis=1, keepdims=True), Z_GRID),
        mag=np.zeros(n) if identical else rng.standard_normal(n),
        z_spec=np.where(labelled, 0.7, 0.0),
        is_labelled=labelled,
    )


def sample(data: TileData, *, draws: int = 500) -> Draws:
    arrays = tile_data_arrays(data, PRIORS)
    return sample_nuts(
        compiled_tile_model(2), arrays, NAMES, draws=draws, tune=300, chains=2, seed=1
    )


@pytest.mark.parametrize(
    "data",
    [
        make_data(1),
        make_data(60, is_labelled=False),
        make_data(60, is_labelled=True),
        make_data(60, identical=True),
        make_data(60, identical=True, is_labelled=True),
    ],
    ids=["one galaxy", "no labels", "all labels", "all alike", "all alike and labelled"],
)
def test_singular_tiles_converge(data: TileData) -> None:
    found = sample(data)

    assert found.is_usable
    assert found.convergence.r_hat < 1.02
    assert found.convergence.n_divergences <= 2


def test_posterior_is_that_of_brute_force() -> None:
    data = make_data(15)
    arrays = tile_data_arrays(data, PRIORS)
    mean, scale = PRIORS.mean(), PRIORS.scale()
    names = ("basis", "offset", "weight", "centre", "mag", "z_spec", "labelled")
    given = [arrays[name] for name in names]
    # The trapezium rule is exact to many digits for smooth densities that end within the grid.
    steps = np.linspace(-4.2, 4.2, 9)
    points = np.array(list(product(steps, repeat=6))) @ arrays["whiten_factor"].T
    points += arrays["whiten_centre"]
    height = np.array([log_likelihood(mean + scale * raw, *given)[0] for raw in points])
    height -= 0.5 * (points**2).sum(axis=1)
    weight = np.exp(height - height.max())
    weight /= weight.sum()
    theta = mean + scale * points

    found = sample(data, draws=2000)

    draws = np.column_stack([found.values[name].reshape(4000, -1) for name in NAMES])
    wanted = weight @ theta
    spread = np.sqrt(weight @ (theta - wanted) ** 2)
    error = 5 / np.sqrt(found.convergence.ess)
    np.testing.assert_allclose((draws.mean(axis=0) - wanted) / spread, 0, atol=error)
    np.testing.assert_allclose(draws.std(axis=0) / spread, 1, atol=error)


def test_key_of_the_machine_code_is_the_same_in_every_process() -> None:
    code = (
        "from hbmlc_models.selection import _tile_op as op\n"
        "print(op._fingerprint(op.log_likelihood))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }

    assert len(found) == 1


@pytest.mark.parametrize("error", [RuntimeError, ValueError, FloatingPointError])
def test_sampler_that_dies_twice_says_so(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any, **__: Any) -> Any:
        raise error("all starting points are bad")

    monkeypatch.setattr(sampler, "_trace", dies)

    with pytest.raises(SamplingFailedError, match="2 tries: all starting points are bad"):
        sample(make_data(10))


def test_sampler_that_dies_once_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = sampler._trace, []

    def dies_first(*arguments: Any, **settings: Any) -> Any:
        calls.append(settings["target_accept"])
        if len(calls) == 1:
            raise RuntimeError("bad luck")
        return real(*arguments, **settings)

    monkeypatch.setattr(sampler, "_trace", dies_first)

    found = sample(make_data(30))

    assert found.convergence.n_tries == 2
    assert calls[1] > calls[0]


def test_density_that_is_nowhere_finite_is_a_failure_and_no_crash() -> None:
    data = make_data(10)

    with pytest.raises(SamplingFailedError):
        sample(replace(data, mag=np.full(10, np.nan)))


@pytest.mark.parametrize(
    ("r_hat", "ess", "n_divergences", "wanted"),
    [
        (1.03, 300.0, 1, True),
        (1.3, 300.0, 0, False),
        (1.03, 10.0, 0, False),
        (1.0, 900.0, 80, False),
        (float("nan"), 900.0, 0, False),
    ],
)
def test_chains_that_nearly_converged_are_used(
    r_hat: float,
    ess: float,
    n_divergences: int,
    wanted: bool,  # noqa: FBT001
) -> None:
    convergence = Convergence(r_hat=r_hat, ess=ess, n_divergences=n_divergences, n_tries=2)

    found = Draws(values={"beta": np.zeros(1000)}, convergence=convergence)

    assert found.is_usable is wanted


@pytest.mark.parametrize("with_normal_redshifts", [True, False])
def test_replacement_has_the_survey_selection_and_prior_redshifts(
    with_normal_redshifts: bool,  # noqa: FBT001
) -> None:
    found = survey_draws(
        PRIORS,
        no_chains(),
        n_draws=4000,
        with_normal_redshifts=with_normal_redshifts,
        rng=np.random.default_rng(1),
    )

    assert found.convergence.is_replaced
    assert not found.convergence.is_converged
    np.testing.assert_array_equal(found.values["alpha"], np.tile(PRIORS.alpha, (4000, 1)))
    assert found.values["beta"].mean() == pytest.approx(-1.0, abs=5 * 0.5 / np.sqrt(4000))
    assert found.values["beta"].std() == pytest.approx(0.5, rel=5 / np.sqrt(8000))
    assert ("tilt" in found.values) != with_normal_redshifts
    assert ("mu_z" in found.values) == with_normal_redshifts
