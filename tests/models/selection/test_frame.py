"""The luptitude frame is finite for anything and honest about what was not observed."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import BANDS, make_frame_of, make_photometry, random_mags
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.frame import UNOBSERVED_ERR, colour_matrix, make_frame

fluxes = hnp.arrays(
    float,
    (5, len(BANDS)),
    elements=st.one_of(
        st.just(float("nan")), st.floats(-1e-3, 1e3), st.floats(-1e-9, 1e-9), st.just(0.0)
    ),
)
errors = hnp.arrays(
    float,
    (5, len(BANDS)),
    elements=st.one_of(st.just(float("nan")), st.floats(1e-14, 1.0)),
)


def photometry_of(flux: np.ndarray, flux_err: np.ndarray) -> Photometry:
    return Photometry(bands=BANDS, flux=flux, flux_err=flux_err, is_detected=flux > 3 * flux_err)


@settings(deadline=None)
@given(flux=fluxes, flux_err=errors)
def test_luptitudes_are_finite_for_any_flux(flux: np.ndarray, flux_err: np.ndarray) -> None:
    photometry = photometry_of(flux, flux_err)

    values, found = make_frame_of().luptitudes(photometry)

    assert np.isfinite(values).all()
    assert np.all(np.isfinite(found) & (found > 0))
    assert np.all(found[~photometry.is_observed] == UNOBSERVED_ERR)


@settings(deadline=None)
@given(flux=fluxes, flux_err=errors)
def test_reference_brightness_is_never_nan(flux: np.ndarray, flux_err: np.ndarray) -> None:
    assert np.isfinite(make_frame_of().reference_mag(photometry_of(flux, flux_err))).all()


@settings(deadline=None)
@given(flux=fluxes, flux_err=errors)
def test_colour_is_nan_exactly_where_a_band_is_missing(
    flux: np.ndarray, flux_err: np.ndarray
) -> None:
    photometry = photometry_of(flux, flux_err)
    observed = photometry.is_observed

    colours = make_frame_of().colours(photometry)

    np.testing.assert_array_equal(np.isfinite(colours[:, 0]), observed[:, 2])
    np.testing.assert_array_equal(np.isfinite(colours[:, 1:]), observed[:, :-1] & observed[:, 1:])


def test_colours_are_linear_in_luptitudes() -> None:
    photometry = make_photometry(random_mags(np.random.default_rng(0), 20))
    frame = make_frame_of()

    values, _ = frame.luptitudes(photometry)

    np.testing.assert_allclose(
        frame.colours(photometry), values @ colour_matrix(4, frame.reference).T, rtol=1e-12
    )


def test_bright_luptitudes_are_magnitudes() -> None:
    mag = random_mags(np.random.default_rng(1), 20)

    values, err = make_frame_of(softening=1e-13).luptitudes(make_photometry(mag, relative_err=0.03))

    np.testing.assert_allclose(values, mag, atol=1e-4)
    # 3 per cent of noise and one of calibration, in magnitudes.
    np.testing.assert_allclose(err, 2.5 / np.log(10) * np.hypot(0.03, 0.01), rtol=1e-4)


def test_other_bands_stand_in_for_a_missing_reference() -> None:
    mag = np.array([[21.0, 22.0, np.nan, 23.0], [np.nan] * 4])

    found = make_frame_of(softening=1e-13).reference_mag(make_photometry(mag))

    assert found[0] == pytest.approx(22.0, abs=1e-3)
    # Nothing observed counts as no flux: the faintest galaxy there is.
    assert found[1] == pytest.approx(32.5)


def test_softening_is_the_noise_of_faint_galaxies() -> None:
    rng = np.random.default_rng(3)
    noise = np.array([1e-11, 2e-11, 3e-11, 4e-11])
    flux = 10 ** (-0.4 * random_mags(rng, 500))
    photometry = photometry_of(flux, np.tile(noise, (500, 1)))

    np.testing.assert_allclose(make_frame(photometry).softening, noise)


@pytest.mark.parametrize(
    ("bands", "wanted"),
    [
        (("u", "g", "r", "i", "z"), "i"),
        (("B", "V", "R"), "R"),
        (("J", "H", "K"), "H"),
        (("K",), "K"),
    ],
)
def test_reference_is_the_red_optical_band_or_the_middle(
    bands: tuple[str, ...], wanted: str
) -> None:
    mag = random_mags(np.random.default_rng(4), 30, n_bands=len(bands))

    frame = make_frame(make_photometry(mag, bands=bands))

    assert bands[frame.reference] == wanted


def test_band_that_few_observed_is_not_the_reference() -> None:
    mag = random_mags(np.random.default_rng(5), 100)
    mag[5:, 2] = np.nan

    frame = make_frame(make_photometry(mag))

    assert frame.bands[frame.reference] == "r"
    assert np.all(frame.softening > 0)


def test_frame_of_nothing_observed_is_finite() -> None:
    frame = make_frame(make_photometry(np.full((3, 4), np.nan)))

    assert np.all(np.isfinite(frame.softening) & (frame.softening > 0))
