"""The scatter of the sky says how much larger errors are than stated."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import make_frame_of, make_photometry, random_mags
from hypothesis import given, settings
from hypothesis import strategies as st

from hbmlc_models.metalearning.features import network_inputs
from hbmlc_models.selection.error_scale import LIMITS, fit_error_scale, with_error_scale
from hbmlc_models.selection.frame import UNOBSERVED_ERR
from hbmlc_models.selection.mixture import Mixture

N_BANDS = 5


def types(*, spread: float = 0.05) -> Mixture:
    rng = np.random.default_rng(1)
    return Mixture(
        weights=np.full(6, 1 / 6),
        means=np.column_stack([rng.uniform(0.2, 0.7, 6), 22 + rng.standard_normal((6, N_BANDS))]),
        covariances=np.tile(spread**2 * np.eye(1 + N_BANDS), (6, 1, 1)),
    )


def sky(seed: int, n: int, *, scale: float, spread: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Galaxies of ``types`` whose noise is ``scale`` times what is stated."""
    rng = np.random.default_rng([seed, n])
    drawn = types(spread=spread)
    stated = rng.uniform(0.05, 0.3, (n, N_BANDS))
    true = drawn.means[rng.integers(0, 6, n), 1:] + spread * rng.standard_normal((n, N_BANDS))
    return true + scale * stated * rng.standard_normal((n, N_BANDS)), stated


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1_000), scale=st.floats(0.7, 2.0))
def test_factor_of_the_noise_is_found(seed: int, scale: float) -> None:
    found = fit_error_scale(types(), *sky(seed, 600, scale=scale))

    # The scatter of n values is known to 1/sqrt(2 n): five sigma of 600 galaxies in five bands.
    assert found == pytest.approx(scale, rel=0.08)


def test_galaxies_like_no_type_do_not_pose_as_noise() -> None:
    values, stated = sky(0, 1_000, scale=1.0)
    values[:30] += 8.0

    assert fit_error_scale(types(), values, stated) == pytest.approx(1.0, abs=0.06)


def test_types_that_are_too_broad_are_answered_by_smaller_errors() -> None:
    values, stated = sky(0, 1_000, scale=1.0)

    assert fit_error_scale(types(spread=0.12), values, stated) < 0.9


def test_few_galaxies_leave_errors_as_stated_and_many_are_never_beyond_the_limits() -> None:
    few = fit_error_scale(types(), *sky(0, 1, scale=1.5))
    many = fit_error_scale(types(), *sky(0, 1_000, scale=20.0))

    assert fit_error_scale(types(), np.empty((0, N_BANDS)), np.empty((0, N_BANDS))) == 1.0
    assert 0.7 < few < 1.5
    assert many == pytest.approx(LIMITS[1], rel=0.02)


def test_a_scaled_frame_has_larger_errors_and_the_same_luptitudes() -> None:
    mag = random_mags(np.random.default_rng(2), 300)
    mag[0, 0] = np.nan
    # Every galaxy is of one type, and scatters twice as much as it is said to.
    mag[1:] = 22 + 0.2 * np.random.default_rng(3).standard_normal(mag[1:].shape)
    photometry = make_photometry(mag, relative_err=0.1 / 1.086)
    one_type = Mixture(
        weights=np.ones(1),
        means=np.array([[0.5, 22, 22, 22, 22]]),
        covariances=1e-4 * np.eye(5)[None],
    )
    frame = make_frame_of(softening=1e-13)

    scaled = with_error_scale(frame, one_type, photometry.take(np.arange(1, 300)), seed=0)

    assert scaled.error_scale == pytest.approx(2.0, rel=0.1)
    (values, errors), (given, stated) = (
        chosen.luptitudes(photometry) for chosen in (scaled, frame)
    )
    np.testing.assert_array_equal(values, given)
    assert errors[0, 0] == UNOBSERVED_ERR
    np.testing.assert_allclose(errors[1:] / stated[1:], scaled.error_scale, rtol=0.02)
    assert scaled.as_stated == frame


def test_the_network_sees_errors_as_stated() -> None:
    photometry = make_photometry(random_mags(np.random.default_rng(4), 20))
    frame = make_frame_of()
    context = np.zeros((20, 3, 4))
    one_type = Mixture(
        weights=np.ones(1),
        means=np.array([[0.5, 22, 22, 22, 22]]),
        covariances=np.eye(5)[None],
    )
    scaled = with_error_scale(frame, one_type, photometry, seed=0)

    assert scaled.error_scale != 1.0
    np.testing.assert_array_equal(
        network_inputs(photometry, scaled, context), network_inputs(photometry, frame, context)
    )
