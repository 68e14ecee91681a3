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
        dim_at_most=1.5,
        n_copies=7,
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
    np.testing.assert_array_equal(np.bincount(dimmed.parent), 7)


def test_copies_are_fainter_by_no_more_than_the_limit(
    labelled: Photometry, dimmed: DimmedSample
) -> None:
    parents = labelled.take(dimmed.parent)
    fainter = -2.5 * np.log10(dimmed.photometry.flux / parents.flux)

    assert fainter.min() >= -1e-9
    assert fainter.max() <= 1.5 + 1e-9
    assert fainter.mean() > 0.5  # the unlabelled sky is two magnitudes fainter


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
        dim_at_most=1.0,
        n_copies=20,
        rng=np.random.default_rng(3),
    )

    own = FRAME.reference_mag(labelled)
    mags = FRAME.reference_mag(found.photometry)
    assert np.abs(mags[:, None] - own[None, :]).min(axis=1).max() < 1e-9


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
