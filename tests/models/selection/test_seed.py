"""The model as first published, against scipy and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import make_frame_of, make_photometry
from scipy.special import expit
from scipy.stats import lognorm, multivariate_normal, norm, truncnorm

from hbmlc_models.selection.curve import Curve, fit_curve, matern_weights
from hbmlc_models.selection.posterior import TilePosterior, WrongModelError
from hbmlc_models.selection.sampler import Convergence
from hbmlc_models.selection.seed_model import SeedTileData, build_seed_model, seed_data_arrays
from hbmlc_models.selection.seed_posterior import seed_posterior
from hbmlc_models.selection.tile_model import ALPHA_SCALE, GAMMA_SCALE, TilePriors

BANDS = ("g", "r", "i")
SLOPES = np.array([2.0, 1.2, 0.6])
Z_GRID = np.linspace(0, 3, 61)
FRAME = make_frame_of(BANDS, softening=1e-14)


@pytest.fixture
def curve() -> Curve:
    rng = np.random.default_rng(1)
    knots = np.linspace(0, np.log1p(2.0), 8)
    return Curve(
        knots=knots,
        values=22 + np.outer(knots, SLOPES) + 0.1 * rng.standard_normal((8, 3)),
        scatter=np.array([0.1, 0.2, 0.15]),
        common=np.array([0.9, 1.0, 1.1]),
        convergence=Convergence(r_hat=1.0, ess=500.0, n_divergences=0, n_tries=1),
    )


def test_likelihood_of_the_curve_is_that_of_scipy(curve: Curve) -> None:
    rng = np.random.default_rng(2)
    values, errors = 22 + rng.standard_normal((4, 3)), rng.uniform(0.01, 0.5, (4, 3))

    found = curve.log_likelihood(values, errors, Z_GRID)

    mean = matern_weights(np.log1p(Z_GRID), curve.knots) @ curve.values
    for galaxy in range(4):
        cov = np.diag(curve.scatter**2 + errors[galaxy] ** 2)
        cov += np.outer(curve.common, curve.common)
        wanted = [multivariate_normal(m, cov).logpdf(values[galaxy]) for m in mean]
        np.testing.assert_allclose(found[galaxy] - 1.5 * np.log(2 * np.pi), wanted, rtol=1e-9)


def test_interpolation_goes_through_the_knots() -> None:
    knots = np.linspace(0, 1.1, 8)

    # The Gaussian process has a nugget of 1e-6.
    np.testing.assert_allclose(matern_weights(knots, knots), np.eye(8), atol=1e-3)


def make_labelled(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes on straight lines in log(1+z): one brightness and small scatter each."""
    rng = np.random.default_rng(3)
    z_spec = np.expm1(rng.uniform(0.05, 1.0, n))
    brightness = 0.8 * rng.standard_normal((n, 1))
    mag = 21 + np.outer(np.log1p(z_spec), SLOPES) + brightness
    return mag + 0.05 * rng.standard_normal((n, 3)), z_spec


@pytest.fixture(scope="session")
def fitted() -> Curve:
    mag, z_spec = make_labelled(150)
    return fit_curve(make_photometry(mag, bands=BANDS), z_spec, FRAME, seed=4, draws=100, tune=200)


def test_simple_curve_is_recovered(fitted: Curve) -> None:
    log1p_z = np.linspace(0.1, 0.9, 9)

    found = matern_weights(log1p_z, fitted.knots) @ fitted.values

    colours, wanted = np.diff(found, axis=1), np.outer(log1p_z, np.diff(SLOPES))
    # Scatter 0.07 of a colour (errors of 2.2 % included 0.08), some twenty galaxies at each knot.
    np.testing.assert_allclose(colours, wanted, atol=5 * 0.08 / np.sqrt(20))
    brightness = (found - 21 - np.outer(log1p_z, SLOPES)).mean(axis=1)
    np.testing.assert_allclose(brightness, 0, atol=5 * 0.8 / np.sqrt(20))


def test_scatter_of_the_curve_is_recovered(fitted: Curve) -> None:
    tolerance = 5 / np.sqrt(2 * 150)

    np.testing.assert_allclose(fitted.common, 0.8, rtol=tolerance)
    np.testing.assert_allclose(fitted.scatter, 0.05, rtol=2 * tolerance)


def make_posterior(n_draws: int) -> TilePosterior:
    rng = np.random.default_rng(5)
    return TilePosterior(
        alpha=rng.standard_normal((n_draws, 2)),
        gamma=rng.standard_normal(n_draws),
        beta=rng.normal(-1, 0.3, n_draws),
        tilt=np.zeros((n_draws, 2)),
        mu_z=rng.uniform(0.6, 1.0, n_draws),
        sigma_z=rng.uniform(0.3, 0.5, n_draws),
    )


def test_posterior_is_bayes_theorem_averaged_over_draws(curve: Curve) -> None:
    rng = np.random.default_rng(6)
    photometry = make_photometry(22 + 0.5 * rng.standard_normal((4, 3)), bands=BANDS)
    basis, is_selected = rng.standard_normal((4, 2)), np.array([True, False, True, False])
    posterior = make_posterior(3)

    density, propensity = seed_posterior(
        photometry, basis, is_selected, frame=FRAME, curve=curve, posterior=posterior, z_grid=Z_GRID
    )

    np.testing.assert_allclose(density.sum(axis=1), 1.0)
    likelihood = np.exp(curve.log_likelihood(*FRAME.luptitudes(photometry), Z_GRID))
    for galaxy in range(4):
        wanted, likely = np.zeros(len(Z_GRID)), np.zeros(3)
        for d in range(3):
            p_z = likelihood[galaxy] * norm(posterior.mu_z[d], posterior.sigma_z[d]).pdf(Z_GRID)
            p_z /= p_z.sum()
            linear = basis[galaxy] @ posterior.alpha[d] + posterior.gamma[d]
            p_s = expit(linear + posterior.beta[d] * Z_GRID)
            likely[d] = p_z @ p_s
            joint = p_z * (p_s if is_selected[galaxy] else 1 - p_s)
            wanted += joint / joint.sum() / 3
        np.testing.assert_allclose(density[galaxy], wanted, rtol=1e-6, atol=1e-12)
        assert propensity.mean[galaxy] == pytest.approx(likely.mean())
        assert propensity.std[galaxy] == pytest.approx(likely.std(), abs=1e-7)


def test_log_posterior_is_that_of_the_docstring() -> None:
    rng = np.random.default_rng(7)
    n, nodes = 9, np.linspace(0, 3, 31)
    priors = TilePriors(alpha=np.array([0.3, -0.2]), gamma=-0.5, beta_mean=-1.0, beta_scale=0.5)
    data = SeedTileData(
        basis=rng.standard_normal((n, 2)),
        log_likelihood=norm(rng.uniform(0.3, 1.5, (n, 1)), 0.2).logpdf(nodes),
        z_spec=rng.choice(nodes[3:20], n),
        is_labelled=rng.random(n) < 0.5,
        z_nodes=nodes,
    )
    model = build_seed_model(2, len(nodes))
    for name, value in seed_data_arrays(data, priors).items():
        model.set_data(name, value)
    log_posterior = model.compile_logp(mode="FAST_COMPILE", jacobian=False)

    differences = []
    for mu_z, sigma_z in ((0.7, 0.3), (1.1, 0.5), (0.4, 0.6)):
        raw = {
            "alpha_raw": rng.standard_normal(2),
            "gamma_raw": np.array(rng.standard_normal()),
            "beta_raw": np.array(rng.standard_normal()),
        }
        linear = data.basis @ (priors.alpha + ALPHA_SCALE * raw["alpha_raw"])
        linear += priors.gamma + GAMMA_SCALE * raw["gamma_raw"]
        beta = priors.beta_mean + priors.beta_scale * raw["beta_raw"]
        p_z = norm(mu_z, sigma_z).pdf(nodes)
        p_z /= p_z.sum()
        rejected = 1 - expit(linear[:, None] + beta * nodes)
        unlabelled = np.log((np.exp(data.log_likelihood) * p_z * rejected).sum(axis=1))
        at_label = np.searchsorted(nodes, data.z_spec)
        labelled = np.log(p_z[at_label] * expit(linear + beta * data.z_spec))
        wanted = np.where(data.is_labelled, labelled, unlabelled).sum()
        wanted += sum(norm.logpdf(value).sum() for value in raw.values())
        wanted += truncnorm(-0.8 / 0.5, np.inf, loc=0.8, scale=0.5).logpdf(mu_z)
        wanted += lognorm(0.4, scale=0.4).logpdf(sigma_z)
        point = raw | {
            "mu_z_interval__": np.log(np.array(mu_z)),
            "sigma_z_log__": np.log(np.array(sigma_z)),
        }
        differences.append(float(log_posterior(point)) - wanted)

    # Likelihoods of the photometry enter relative to their maximum: a constant.
    np.testing.assert_allclose(differences, differences[0], rtol=1e-9)


def test_draws_of_the_default_model_are_refused(curve: Curve) -> None:
    posterior = TilePosterior(
        alpha=np.zeros((1, 2)), gamma=np.zeros(1), beta=np.zeros(1), tilt=np.zeros((1, 2))
    )

    with pytest.raises(WrongModelError, match="seed model"):
        seed_posterior(
            make_photometry(np.full((1, 3), 22.0), bands=BANDS),
            np.zeros((1, 2)),
            np.array([True]),
            frame=FRAME,
            curve=curve,
            posterior=posterior,
            z_grid=Z_GRID,
        )
