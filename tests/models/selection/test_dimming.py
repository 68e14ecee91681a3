"""Dimming keeps what a galaxy is and changes how bright it looks."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import make_frame_of, make_photometry, random_mags

from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.dimming import DimmedSample, add_noise, borrow_noise, dim_labelled

FRAME = make_frame_of(softening=1e-14)
N_LABELLED = 60


@pytest.fixture
def labelled() -> Photometry:
    return make_photometry(random_mags(np.random.default_rng(1), N_LABELLED) - 1)


@pytest.fixture
def unlabelled() -> Photometry:
    return make_photometry(random_mags(np.random.default_rng(2), 300) + 1)


@pytest.fixture
def dimmed(labelled: Photometry, unlabelled: Photometry) -> DimmedSample:
    return dim_labelled(
        labelled,
        np.linspace(0.1, 2, N_LABELLED),
        unlabelled,
        frame=FRAME,
        reach=0.5,
        trend=None,
        n_copies=2_000,
        rng=np.random.default_rng(3),
    )


def test_copies_have_the_colours_and_redshift_of_their_parents(
    labelled: Photometry, dimmed: DimmedSample
) -> None:
    parents = labelled.take(dimmed.parent)
    wanted = -2.5 * np.log10(parents.flux[:, :-1] / parents.flux[:, 1:])
    found = -2.5 * np.log10(dimmed.photometry.flux[:, :-1] / dimmed.photometry.flux[:, 1:])

    np.testing.assert_allclose(found, wanted, atol=1e-9)
    np.testing.assert_array_equal(dimmed.z_spec, np.linspace(0.1, 2, N_LABELLED)[dimmed.parent])


def test_copies_are_as_bright_as_the_sky(unlabelled: Photometry, dimmed: DimmedSample) -> None:
    sky = FRAME.reference_mag(unlabelled)
    found = FRAME.reference_mag(dimmed.photometry)

    # Sorted copies follow the quantiles of the sky, but for a few brighter than any label.
    levels = [0.25, 0.5, 0.75]
    np.testing.assert_allclose(np.quantile(found, levels), np.quantile(sky, levels), atol=0.1)


def test_parents_are_the_labels_nearest_in_brightness() -> None:
    mag = np.linspace(18, 22, 2_000)
    labels = make_photometry(np.repeat(mag[:, None], 4, axis=1))
    sky = make_photometry(np.full((50, 4), 21.0))

    found = dim_labelled(
        labels,
        np.zeros(2_000),
        sky,
        frame=FRAME,
        reach=0.5,
        trend=None,
        n_copies=3_000,
        rng=np.random.default_rng(3),
    )

    dimmed_by = 21.0 - mag[found.parent]
    assert dimmed_by.min() >= -0.3
    # An exponential of scale 0.5, widened a little for enough parents.
    assert 0.3 < dimmed_by.mean() < 0.8


def test_far_beyond_the_labels_the_faintest_stand_in(labelled: Photometry) -> None:
    found = dim_labelled(
        labelled,
        np.zeros(N_LABELLED),
        make_photometry(np.full((50, 4), 40.0)),
        frame=FRAME,
        reach=0.1,
        trend=None,
        n_copies=1_000,
        rng=np.random.default_rng(3),
    )

    own = FRAME.reference_mag(labelled)
    assert np.median(own[found.parent]) > np.median(own)
    assert len(np.unique(found.parent)) > N_LABELLED / 4


def test_colours_follow_the_trend_with_brightness(
    labelled: Photometry, unlabelled: Photometry
) -> None:
    trend = np.zeros((N_LABELLED, 4))
    trend[:, 0] = -0.2
    common = {"frame": FRAME, "reach": 0.5, "n_copies": 500}
    plain, bluer = (
        dim_labelled(
            labelled,
            np.zeros(N_LABELLED),
            unlabelled,
            trend=own,
            rng=np.random.default_rng(3),
            **common,
        )
        for own in (None, trend)
    )

    dimming = -2.5 * np.log10(plain.photometry.flux / labelled.take(plain.parent).flux)[:, 1]
    shift = -2.5 * np.log10(bluer.photometry.flux / plain.photometry.flux)
    np.testing.assert_array_equal(bluer.parent, plain.parent)
    np.testing.assert_allclose(shift[:, 0], -0.2 * dimming, atol=1e-9)
    np.testing.assert_allclose(shift[:, 1:], 0, atol=1e-9)


def test_signal_to_noise_of_a_copy_is_that_of_its_parent(
    labelled: Photometry, dimmed: DimmedSample
) -> None:
    parents = labelled.take(dimmed.parent)
    np.testing.assert_allclose(
        dimmed.photometry.flux / dimmed.photometry.flux_err, parents.flux / parents.flux_err
    )


def test_without_unlabelled_galaxies_labels_are_dimmed_among_themselves(
    labelled: Photometry,
) -> None:
    found = dim_labelled(
        labelled,
        np.zeros(N_LABELLED),
        labelled.take(np.empty(0, int)),
        frame=FRAME,
        reach=0.5,
        trend=None,
        n_copies=1_000,
        rng=np.random.default_rng(3),
    )

    own = FRAME.reference_mag(labelled)
    mags = FRAME.reference_mag(found.photometry)
    distance = np.abs(mags[:, None] - own[None, :]).min(axis=1)
    # A few of the brightest would have to be brightened by more than is allowed.
    assert np.mean(distance < 1e-9) > 0.95


def test_noise_is_added_in_quadrature() -> None:
    n, have, want, flux = 20_000, 3e-11, 1e-10, 1e-9
    clean = Photometry(
        bands=("i",),
        flux=np.full((n, 1), flux),
        flux_err=np.full((n, 1), have),
        is_detected=np.ones((n, 1), bool),
    )

    noisy = add_noise(clean, np.full((n, 1), want), rng=np.random.default_rng(4))

    added = noisy.flux.std(ddof=1)
    # Standard error of a standard deviation: one over the root of 2 (n - 1).
    assert added == pytest.approx(np.sqrt(want**2 - have**2), rel=5 / np.sqrt(2 * (n - 1)))
    assert noisy.flux.mean() == pytest.approx(flux, abs=5 * want / np.sqrt(n))
    np.testing.assert_array_equal(noisy.flux_err, want)


def test_galaxy_noisier_than_wanted_is_left_alone(labelled: Photometry) -> None:
    found = add_noise(labelled, 0.1 * labelled.flux_err, rng=np.random.default_rng(5))

    np.testing.assert_array_equal(found.flux, labelled.flux)
    np.testing.assert_array_equal(found.flux_err, labelled.flux_err)


def test_band_missing_on_either_side_is_not_observed(labelled: Photometry) -> None:
    flux = labelled.flux.copy()
    flux[0, 0] = np.nan
    missing = Photometry(
        bands=labelled.bands,
        flux=flux,
        flux_err=np.where(np.isnan(flux), np.nan, labelled.flux_err),
        is_detected=np.isfinite(flux),
    )
    flux_err = labelled.flux_err.copy()
    flux_err[1, 1] = np.nan

    found = add_noise(missing, flux_err, rng=np.random.default_rng(6))

    hidden = np.zeros(flux.shape, bool)
    hidden[0, 0] = hidden[1, 1] = True
    np.testing.assert_array_equal(np.isnan(found.flux), hidden)
    np.testing.assert_array_equal(np.isnan(found.flux_err), hidden)
    assert not found.is_detected[hidden].any()


def test_flux_below_three_sigma_is_a_non_detection(labelled: Photometry) -> None:
    found = add_noise(labelled, labelled.flux, rng=np.random.default_rng(7))

    np.testing.assert_array_equal(found.is_detected, found.flux > 3 * found.flux_err)
    assert not found.is_detected.all()


def test_noise_comes_from_donors_of_like_brightness(unlabelled: Photometry) -> None:
    rng = np.random.default_rng(8)
    donors = make_photometry(
        np.repeat(np.linspace(20, 27, 7000)[:, None], 4, axis=1), relative_err=0.1
    )

    found = borrow_noise(unlabelled, donors, frame=FRAME, rng=rng)

    borrowed = -2.5 * np.log10(found[:, 0] / 0.1)
    # A donor every millimag, and fifty of them on either side.
    assert np.abs(borrowed - FRAME.reference_mag(unlabelled)).max() < 0.0525
