"""Copies move along redshift as their kind of galaxy does, and no farther than noise hides."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import make_frame_of, make_photometry
from hypothesis import given
from hypothesis import strategies as st

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry, mag_from_flux
from hbmlc_models.selection.dimming import DimmedSample
from hbmlc_models.selection.redshift_shift import (
    MAX_SHIFT,
    NEAREST,
    SHIFT_PER_NOISE,
    ColourTracks,
    RedshiftShift,
)

FRAME = make_frame_of(softening=1e-14)
NODES = np.linspace(0, 1.4, 351)
SLOPES = np.array([[3.0, 2.0, 0.0, -1.0], [1.0, 2.5, 0.0, -2.0], [-1.0, 0.5, 0.0, 0.5]])
"""Change of each band of three kinds of galaxies [mag per log(1+z)]."""
COLOURS = np.array([[1.0, 0.5, 0.0, 0.0], [0.3, 0.2, 0.0, 0.1], [0.0, 0.0, 0.0, 0.0]])
TRACKS = ColourTracks(log1p_z=NODES, magnitudes=COLOURS[None] + NODES[:, None, None] * SLOPES[None])


def magnitudes_of(kind: int, log1p_z: FloatArray) -> FloatArray:
    return 22 + COLOURS[kind] + log1p_z[:, None] * SLOPES[kind]


def copies(photometry: Photometry, z_spec: FloatArray, n: int) -> DimmedSample:
    parent = np.arange(n) % len(z_spec)
    return DimmedSample(photometry=photometry.take(parent), z_spec=z_spec[parent], parent=parent)


def shift(kind: int, z_spec: FloatArray, *, noise: float, n: int = 400) -> DimmedSample:
    labelled = make_photometry(magnitudes_of(kind, np.log1p(z_spec)))
    sample = copies(labelled, z_spec, n)
    flux_err = noise / 1.0857 * sample.photometry.flux
    return RedshiftShift.of(labelled, z_spec, TRACKS).shifted(
        sample, flux_err, frame=FRAME, rng=np.random.default_rng(8)
    )


@given(kind=st.integers(0, 2), z=st.floats(0.1, 2.5))
def test_copies_have_the_colours_of_their_kind_at_their_new_redshift(kind: int, z: float) -> None:
    moved = shift(kind, np.array([z]), noise=0.1, n=50)

    wanted = magnitudes_of(kind, np.log1p(moved.z_spec))
    found = mag_from_flux(moved.photometry.flux)
    # Other kinds fit a little as well: what they say of the change counts as much as that.
    np.testing.assert_allclose(found - found[:, [2]], wanted - wanted[:, [2]], atol=0.02, rtol=0)
    assert np.ptp(moved.z_spec) > 0


def test_copies_stay_as_bright_and_keep_their_parents() -> None:
    z_spec = np.array([0.3, 0.9])
    labelled = make_photometry(magnitudes_of(0, np.log1p(z_spec)))
    sample = copies(labelled, z_spec, 100)

    moved = shift(0, z_spec, noise=0.2, n=100)

    np.testing.assert_array_equal(moved.parent, sample.parent)
    np.testing.assert_allclose(moved.photometry.flux[:, 2], sample.photometry.flux[:, 2])


@pytest.mark.parametrize("noise", [0.02, 0.1])
def test_shift_is_as_large_as_noise_hides(noise: float) -> None:
    z_spec = np.array([0.8])

    moved = shift(0, z_spec, noise=noise, n=4_000)

    spread = np.std(np.log1p(moved.z_spec) - np.log1p(0.8))
    assert spread == pytest.approx(SHIFT_PER_NOISE * noise, rel=0.05)


def test_shift_has_a_largest_size() -> None:
    moved = shift(0, np.array([1.2]), noise=5.0, n=4_000)

    assert np.std(np.log1p(moved.z_spec)) == pytest.approx(MAX_SHIFT, rel=0.05)


def test_no_copy_leaves_the_redshifts_that_tracks_know() -> None:
    z_spec = np.array([0.02, np.expm1(1.39)])

    moved = shift(1, z_spec, noise=1.0, n=2_000)

    is_kept = np.isin(moved.z_spec, z_spec)
    assert 0 < is_kept.mean() < 1
    inside = np.log1p(moved.z_spec[~is_kept])
    assert inside.min() >= NEAREST
    assert inside.max() <= NODES[-1]


def test_bands_that_were_not_observed_say_nothing_and_stay_so() -> None:
    z_spec = np.array([0.5])
    seen = magnitudes_of(0, np.log1p(z_spec))
    seen[0, 3] = np.nan
    labelled = make_photometry(seen)
    sample = copies(labelled, z_spec, 50)
    flux_err = np.where([True, True, True, False], 0.1 * sample.photometry.flux, np.nan)

    moved = RedshiftShift.of(labelled, z_spec, TRACKS).shifted(
        sample, flux_err, frame=FRAME, rng=np.random.default_rng(8)
    )

    assert np.isnan(moved.photometry.flux[:, 3]).all()
    assert np.isfinite(moved.photometry.flux[:, :3]).all()


def test_where_the_sky_was_not_observed_nothing_moves() -> None:
    z_spec = np.array([0.5])
    labelled = make_photometry(magnitudes_of(0, np.log1p(z_spec)))
    sample = copies(labelled, z_spec, 20)

    moved = RedshiftShift.of(labelled, z_spec, TRACKS).shifted(
        sample,
        np.full(sample.photometry.flux.shape, np.nan),
        frame=FRAME,
        rng=np.random.default_rng(8),
    )

    np.testing.assert_array_equal(moved.z_spec, sample.z_spec)
    np.testing.assert_allclose(moved.photometry.flux, sample.photometry.flux)
