"""Flux and magnitude systems."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbmlc_models import photometry
from hbmlc_models.arrays import ShapeMismatchError
from hbmlc_models.tile import Tile

mags = st.floats(10, 32)


@given(mags)
def test_magnitude_and_flux_are_inverse(mag: float) -> None:
    flux = photometry.flux_from_mag(np.array([mag]))

    assert photometry.mag_from_flux(flux)[0] == pytest.approx(mag, abs=1e-12)


def test_infinitely_faint_is_zero_flux() -> None:
    assert photometry.flux_from_mag(np.array([np.inf]))[0] == 0.0


@given(mags, st.floats(0.001, 1.0))
def test_magnitude_errors_are_inverse(mag: float, mag_err: float) -> None:
    flux = photometry.flux_from_mag(np.array([mag]))
    flux_err = photometry.flux_err_from_mag_err(flux, np.array([mag_err]))

    assert photometry.mag_err_from_flux(flux, flux_err)[0] == pytest.approx(mag_err)


@given(mags)
def test_luptitude_is_the_magnitude_of_bright_sources(mag: float) -> None:
    flux = photometry.flux_from_mag(np.array([mag]))

    assert photometry.luptitude(flux, flux * 1e-5)[0] == pytest.approx(mag, abs=1e-6)


@given(st.floats(-1e-9, 1e-9))
def test_luptitude_error_is_the_derivative(flux: float) -> None:
    at, softening, step = np.array([flux]), np.array([1e-11]), 1e-15

    slope = photometry.luptitude(at + step, softening) - photometry.luptitude(at - step, softening)
    error = photometry.luptitude_err(at, np.array([step]), softening)

    assert -slope[0] / 2 == pytest.approx(error[0], rel=1e-3)


def make_photometry(n: int) -> photometry.Photometry:
    flux = np.arange(2.0 * n).reshape(n, 2)
    return photometry.Photometry(
        bands=("g", "r"), flux=flux, flux_err=np.ones((n, 2)), is_detected=flux > 3
    )


def test_take_keeps_order_and_bands_together() -> None:
    taken = make_photometry(4).take(np.array([3, 0]))

    np.testing.assert_array_equal(taken.flux, [[6, 7], [0, 1]])
    np.testing.assert_array_equal(taken.is_detected, [[True, True], [False, False]])


def test_photometry_refuses_bands_that_do_not_fit() -> None:
    with pytest.raises(ShapeMismatchError, match=r"\(3, 2\).*\(3, 3\)"):
        photometry.Photometry(
            bands=("g", "r", "i"),
            flux=np.ones((3, 2)),
            flux_err=np.ones((3, 2)),
            is_detected=np.ones((3, 2), bool),
        )


def test_a_label_needs_both_selection_and_redshift() -> None:
    tile = Tile(
        name="a",
        index=0,
        row=np.arange(4),
        photometry=make_photometry(4),
        z_spec=np.array([1.0, np.nan, 1.0, np.nan]),
        selected=np.array([True, True, False, False]),
    )

    assert tile.n_labelled == 1
    assert tile.take(tile.is_labelled).row.tolist() == [0]


def test_tile_refuses_an_extra_of_another_length() -> None:
    with pytest.raises(ShapeMismatchError, match="size"):
        Tile(
            name="a",
            index=0,
            row=np.arange(4),
            photometry=make_photometry(4),
            z_spec=np.ones(4),
            selected=np.ones(4, bool),
            extras={"size": np.ones(3)},
        )
