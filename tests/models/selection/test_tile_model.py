"""The sampled model is the one of the docstring, and NUTS gives back what went in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom, kstest, norm

from hbmlc_models.pipeline import SurveyFit
from hbmlc_models.selection.posterior import TilePosterior, corrected_density, propensity
from hbmlc_models.selection.quadrature import RedshiftNodes, gauss_nodes
from hbmlc_models.selection.sampler import Convergence, Draws, sample_nuts
from hbmlc_models.selection.tile_model import (
    ALPHA_SCALE,
    GAMMA_SCALE,
    TILT_SCALE,
    TileData,
    TilePriors,
    build_tile_model,
    compiled_tile_model,
    tile_data_arrays,
)

Z_GRID = np.linspace(0, 3, 301)
NAMES = ("alpha", "gamma", "beta", "tilt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    alpha: np.ndarray
    gamma: float
    beta: float
    tilt: np.ndarray


@pytest.fixture(scope="session")
def n_basis(survey: SurveyFit) -> int:
    # The size of the pipeline's own model, so that one compilation serves all tests.
    return len(survey.alpha)


def make_priors(n_basis: int, *, beta_scale: float = 0.5) -> TilePriors:
    return TilePriors(alpha=np.zeros(n_basis), gamma=-0.5, beta_mean=-1.0, beta_scale=beta_scale)


def simulate(truth: Truth, n: int, rng: np.random.Generator) -> TileData:
    """Galaxies, selection and labels drawn from the model itself, redshifts on the whole grid."""
    basis = np.zeros((n, len(truth.alpha)))
    basis[:, :2] = rng.standard_normal((n, 2))
    density = make_densities(n, rng)
    mag = rng.standard_normal(n)
    share = density * np.exp((truth.tilt[0] + truth.tilt[1] * mag)[:, None] * Z_GRID)
    share /= share.sum(axis=1, keepdims=True)
    chance = selected_given_photometry(basis @ truth.alpha + truth.gamma, truth.beta, share)
    pick = (rng.random((n, 1)) > share.cumsum(axis=1)).sum(axis=1)
    return TileData(
        basis=basis,
        nodes=gauss_nodes(density, Z_GRID),
        mag=mag,
        z_spec=Z_GRID[np.minimum(pick, len(Z_GRID) - 1)],
        is_labelled=rng.random(n) < chance,
    )


def make_densities(n: int, rng: np.random.Generator) -> np.ndarray:
    """Densities of redshift with one peak or two, narrow or wide, ``(n, n_grid)``."""
    centre, width = rng.uniform(0.2, 1.2, (n, 1)), rng.uniform(0.02, 0.4, (n, 1))
    second = rng.uniform(0, 0.5, (n, 1)) * (rng.random((n, 1)) < 0.3)
    density = (1 - second) * norm(centre, width).pdf(Z_GRID)
    density += second * norm(rng.uniform(1, 2.8, (n, 1)), 0.15).pdf(Z_GRID)
    return density / density.sum(axis=1, keepdims=True)


def selected_given_photometry(
    linear: np.ndarray, beta: float, share: np.ndarray, z: np.ndarray = Z_GRID
) -> np.ndarray:
    """p(S=1 | F) by Bayes' theorem: q is p(z | F, S=1), so p(z | F) is q over the propensity."""
    given_z = expit(linear[:, None] + beta * z)
    everyone = share / given_z
    everyone /= everyone.sum(axis=1, keepdims=True)
    return (everyone * given_z).sum(axis=1)


def draw_truth(n_basis: int, priors: TilePriors, rng: np.random.Generator) -> Truth:
    return Truth(
        alpha=priors.alpha + ALPHA_SCALE * rng.standard_normal(n_basis),
        gamma=priors.gamma + GAMMA_SCALE * rng.standard_normal(),
        beta=priors.beta_mean + priors.beta_scale * rng.standard_normal(),
        tilt=TILT_SCALE * rng.standard_normal(2),
    )


def sample(data: TileData, priors: TilePriors, *, draws: int = 500, chains: int = 2) -> Draws:
    compiled = compiled_tile_model(len(priors.alpha))
    arrays = tile_data_arrays(data, priors)
    return sample_nuts(compiled, arrays, NAMES, draws=draws, tune=300, chains=chains, seed=5)


def make_bound_model(data: TileData, priors: TilePriors) -> tuple[Any, dict[str, Any]]:
    model, arrays = build_tile_model(len(priors.alpha)), tile_data_arrays(data, priors)
    for name, value in arrays.items():
        model.set_data(name, value)
    return model, arrays


def test_log_posterior_is_that_of_the_docstring() -> None:
    rng = np.random.default_rng(1)
    priors = TilePriors(alpha=np.array([0.3, -0.2]), gamma=-0.5, beta_mean=-1.0, beta_scale=0.5)
    data = simulate(draw_truth(2, priors, rng), 12, rng)
    model, arrays = make_bound_model(data, priors)
    log_posterior = model.compile_logp(mode="FAST_COMPILE")

    z, weight = data.nodes.z, data.nodes.weight
    for _ in range(3):
        whitened = rng.standard_normal(6)
        raw = arrays["whiten_centre"] + arrays["whiten_factor"] @ whitened
        alpha, gamma = priors.alpha + ALPHA_SCALE * raw[:2], priors.gamma + GAMMA_SCALE * raw[2]
        beta = float(priors.beta_mean + priors.beta_scale * raw[3])
        slope = TILT_SCALE * (raw[4] + raw[5] * data.mag)
        share = weight * np.exp(slope[:, None] * z)
        norms = share.sum(axis=1)
        linear = data.basis @ alpha + gamma
        chance = selected_given_photometry(linear, beta, share / norms[:, None], z)
        tilted = np.exp(slope * data.z_spec) / norms
        wanted = np.where(data.is_labelled, np.log(chance * tilted), np.log1p(-chance)).sum()
        wanted += norm.logpdf(raw).sum()
        assert float(log_posterior({"whitened": whitened})) == pytest.approx(wanted, rel=1e-9)


def test_gradient_by_hand_is_that_of_the_value() -> None:
    rng = np.random.default_rng(2)
    priors = TilePriors(alpha=np.array([0.3, -0.2]), gamma=-0.5, beta_mean=-1.0, beta_scale=0.5)
    model, _ = make_bound_model(simulate(draw_truth(2, priors, rng), 40, rng), priors)
    log_posterior = model.compile_logp(mode="FAST_COMPILE")
    gradient = model.compile_dlogp(mode="FAST_COMPILE")

    whitened = rng.standard_normal(6)
    steps = 1e-5 * np.eye(6)
    wanted = [
        log_posterior({"whitened": whitened + step}) - log_posterior({"whitened": whitened - step})
        for step in steps
    ]
    np.testing.assert_allclose(
        gradient({"whitened": whitened}), np.array(wanted) / 2e-5, rtol=1e-5, atol=1e-6
    )


def test_sampler_sees_the_same_density_as_the_symbolic_model() -> None:
    # Machine code may take no liberties with arithmetic, whoever compiles it.
    rng = np.random.default_rng(3)
    priors = TilePriors(alpha=np.array([0.3, -0.2]), gamma=-0.5, beta_mean=-1.0, beta_scale=0.5)
    data = simulate(draw_truth(2, priors, rng), 60, rng)
    model, arrays = make_bound_model(data, priors)
    log_posterior = model.compile_logp(mode="FAST_COMPILE")

    found = sample_nuts(
        compiled_tile_model(2), arrays, (*NAMES, "whitened"), draws=300, tune=200, chains=2, seed=4
    )

    assert found.is_usable
    # At independent draws of a normal the log density has variance n / 2 around its mean.
    values = [float(log_posterior({"whitened": u})) for u in found.values["whitened"][::6]]
    assert np.std(values) == pytest.approx(np.sqrt(6 / 2), rel=0.5)
    raw = (found.values["alpha"] - priors.alpha) / ALPHA_SCALE
    wanted = arrays["whiten_centre"] + found.values["whitened"] @ arrays["whiten_factor"].T
    np.testing.assert_allclose(raw, wanted[:, :2], rtol=1e-9, atol=1e-9)


def test_known_selection_is_recovered(n_basis: int) -> None:
    rng = np.random.default_rng(2)
    alpha = np.zeros(n_basis)
    alpha[:2] = 1.0, -0.7
    truth = Truth(alpha=alpha, gamma=-0.5, beta=-1.0, tilt=np.array([0.2, -0.1]))
    data = simulate(truth, 800, rng)

    found = sample(data, make_priors(n_basis, beta_scale=0.1)).values

    for name in ("alpha", "gamma", "tilt"):
        draws = found[name].reshape(len(found[name]), -1)
        score = (draws.mean(axis=0) - np.atleast_1d(getattr(truth, name))) / draws.std(axis=0)
        assert np.all(np.abs(score) < 4)
    # 800 galaxies of mean information p (1 - p) = 0.16 leave one part in eleven.
    assert found["alpha"][:, :2].std(axis=0).max() < 0.2


def test_data_leave_the_prior_of_beta_alone(n_basis: int) -> None:
    # The identity in the module's docstring: the intercept takes up what beta does.
    rng = np.random.default_rng(3)
    truth = Truth(alpha=np.zeros(n_basis), gamma=-0.5, beta=-1.0, tilt=np.zeros(2))
    data = simulate(truth, 400, rng)
    narrow = TileData(
        basis=data.basis,
        nodes=RedshiftNodes(z=np.full(data.nodes.z.shape, 0.8), weight=data.nodes.weight),
        mag=data.mag,
        z_spec=np.full(len(data.mag), 0.8),
        is_labelled=data.is_labelled,
    )

    found = sample(narrow, make_priors(n_basis)).values["beta"]

    n_effective = 200  # at least, of 1,000 draws
    assert found.mean() == pytest.approx(-1.0, abs=5 * 0.5 / np.sqrt(n_effective))
    assert found.std() == pytest.approx(0.5, rel=5 / np.sqrt(2 * n_effective))


def test_random_selection_needs_no_correction(n_basis: int) -> None:
    rng = np.random.default_rng(4)
    truth = Truth(alpha=np.zeros(n_basis), gamma=0.0, beta=0.0, tilt=np.zeros(2))
    data = simulate(truth, 600, rng)
    priors = TilePriors(alpha=np.zeros(n_basis), gamma=0.0, beta_mean=0.0, beta_scale=0.5)

    found = sample(data, priors).values

    for name in ("tilt", "beta"):
        draws = found[name].reshape(len(found[name]), -1)
        assert np.all(np.abs(draws.mean(axis=0)) < 4 * draws.std(axis=0))
    assert np.all(np.abs(found["alpha"].mean(axis=0)[:2]) < 4 * found["alpha"].std(axis=0)[:2])


def test_ranks_of_the_truth_are_uniform(n_basis: int) -> None:
    # Simulation-based calibration (Talts et al. 2018, arXiv:1804.06788), a small case.
    n_replications, priors = 20, make_priors(n_basis)
    ranks: dict[str, list[float]] = {"gamma": [], "beta": [], "tilt": [], "alpha": []}
    for replication in range(n_replications):
        rng = np.random.default_rng([6, replication])
        truth = draw_truth(n_basis, priors, rng)
        found = sample(simulate(truth, 40, rng), priors, draws=400, chains=1).values
        for name, values in ranks.items():
            first = found[name].reshape(len(found[name]), -1)[:, 0]
            values.append(float(np.mean(first < np.ravel(getattr(truth, name))[0])))

    for values in ranks.values():
        inner = sum(0.25 < rank < 0.75 for rank in values)
        # Half of the ranks are in the middle half; one failure in 10,000 by chance.
        assert binom.ppf(5e-5, n_replications, 0.5) <= inner
        assert inner <= binom.ppf(1 - 5e-5, n_replications, 0.5)
        assert kstest(values, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("chains", [1, 2])
def test_diagnostics_come_with_the_draws(n_basis: int, chains: int) -> None:
    rng = np.random.default_rng(7)
    priors = make_priors(n_basis)
    data = simulate(draw_truth(n_basis, priors, rng), 30, rng)

    found = sample(data, priors, draws=100, chains=chains)

    assert found.values["alpha"].shape == (100 * chains, n_basis)
    assert 0.9 < found.convergence.r_hat < 1.5
    assert 0 < found.convergence.ess < 400
    # Too few draws for 400 effective ones: it was tried again, and says so.
    assert found.convergence.n_tries == 2
    assert not found.convergence.is_converged


@pytest.mark.parametrize(
    ("r_hat", "ess", "n_divergences", "wanted"),
    [
        (1.005, 500.0, 0, True),
        (1.02, 500.0, 0, False),
        (1.005, 300.0, 0, False),
        (1.005, 500.0, 1, False),
        (float("nan"), 500.0, 0, False),
    ],
)
def test_all_three_diagnostics_must_hold(
    r_hat: float,
    ess: float,
    n_divergences: int,
    wanted: bool,  # noqa: FBT001
) -> None:
    found = Convergence(r_hat=r_hat, ess=ess, n_divergences=n_divergences, n_tries=1)

    assert found.is_converged is wanted


def make_posterior(n_draws: int, rng: np.random.Generator) -> TilePosterior:
    return TilePosterior(
        alpha=rng.standard_normal((n_draws, 2)),
        gamma=rng.standard_normal(n_draws),
        beta=rng.normal(-1, 0.5, n_draws),
        tilt=0.3 * rng.standard_normal((n_draws, 2)),
    )


def test_propensity_is_bayes_theorem_averaged_over_draws() -> None:
    rng = np.random.default_rng(8)
    posterior = make_posterior(5, rng)
    basis, mag = rng.standard_normal((6, 2)), rng.standard_normal(6)
    density = make_densities(6, rng)

    found = propensity(basis, gauss_nodes(density, Z_GRID), posterior, mag=mag)

    each = np.empty((5, 6))
    for draw in range(5):
        slope = posterior.tilt[draw, 0] + posterior.tilt[draw, 1] * mag
        share = density * np.exp(slope[:, None] * Z_GRID)
        share /= share.sum(axis=1, keepdims=True)
        linear = basis @ posterior.alpha[draw] + posterior.gamma[draw]
        each[draw] = selected_given_photometry(linear, float(posterior.beta[draw]), share)
    np.testing.assert_allclose(found.mean, each.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(found.std, each.std(axis=0), atol=1e-4)


@pytest.mark.parametrize("z_max", [3.0, 6.0])
@pytest.mark.parametrize("is_selected", [True, False])
def test_correction_is_the_mean_of_normalised_densities(is_selected: bool, z_max: float) -> None:  # noqa: FBT001
    posterior = make_posterior(200, np.random.default_rng(9))
    z_grid = np.linspace(0, z_max, int(100 * z_max) + 1)
    mag = np.array([-1.5, 0.0, 1.0])  # nodes in brightness: nothing is interpolated
    density = norm([[0.3], [0.7], [2.3]], [[0.1], [0.4], [0.4]]).pdf(z_grid)
    density /= density.sum(axis=1, keepdims=True)

    found = corrected_density(density, mag, z_grid, posterior, is_selected=is_selected)

    slope = posterior.tilt[:, 0] + mag[:, None] * posterior.tilt[:, 1]
    slope = slope - (0 if is_selected else posterior.beta)
    each = density[:, None] * np.exp(slope[:, :, None] * z_grid)
    wanted = (each / each.sum(axis=2, keepdims=True)).mean(axis=1)
    np.testing.assert_allclose(found @ z_grid, wanted @ z_grid, atol=2e-3)
    np.testing.assert_allclose(found, wanted, atol=0.02 * wanted.max())


def test_thinning_keeps_evenly_spaced_draws() -> None:
    values = {
        "alpha": np.arange(20.0)[:, None],
        "gamma": np.arange(20.0),
        "beta": np.arange(20.0),
    }
    convergence = Convergence(r_hat=1.0, ess=500.0, n_divergences=0, n_tries=1)

    found = TilePosterior.thinned(Draws(values=values, convergence=convergence), n_kept=5)

    np.testing.assert_array_equal(found.beta, [0, 4, 9, 14, 19])
    np.testing.assert_array_equal(found.tilt, np.zeros((5, 2)))
