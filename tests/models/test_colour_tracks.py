"""Tracks know how the colours of galaxies change with redshift, those of other worlds included."""

from __future__ import annotations

import numpy as np
import pytest

from hbmlc_models.photometry import Photometry, mag_from_flux
from hbmlc_models.selection.redshift_shift import RedshiftShift
from hbmlc_models.simulate import draw_world, fiducial_world
from hbmlc_models.simulate.colour_tracks import colour_tracks
from hbmlc_models.simulate.filters import UnknownFilterSetError
from hbmlc_models.simulate.grid import build_grid
from hbmlc_models.simulate.world import World

N = 300
BANDS = tuple("ugrizy")


@pytest.mark.parametrize(
    ("world", "share"),
    [(fiducial_world(), 0.2), (draw_world(np.random.default_rng(4)), 0.3)],
    ids=["their own world", "another world"],
)
def test_most_of_a_change_of_colour_is_foretold(world: World, share: float) -> None:
    rng = np.random.default_rng(2)
    grid = build_grid(world)
    light = rng.dirichlet(np.ones(5), N)
    parts = np.column_stack([light, light[:, 1]]).astype(np.float32)
    dust = grid.dust_node(0.2 * rng.gamma(2.0, 1.0, N))
    z = rng.uniform(0.2, 1.8, N)
    farther = np.expm1(np.log1p(z) + 0.05)
    flux = grid.flux_ratio(z, dust, parts).astype(float)
    galaxies = Photometry(
        bands=BANDS, flux=flux, flux_err=0.02 * flux, is_detected=np.ones(flux.shape, dtype=bool)
    )

    found = RedshiftShift.of(galaxies, z, colour_tracks("lsst", BANDS))
    there, here = (found.tracks.at(np.log1p(at), found.types) for at in (farther, z))
    foretold = np.einsum("nt,ntb->nb", found.weights, there - here)
    true = mag_from_flux(grid.flux_ratio(farther, dust, parts).astype(float)) - mag_from_flux(flux)

    error = np.diff(foretold, axis=1) - np.diff(true, axis=1)
    assert np.median(np.abs(error)) < share * np.median(np.abs(np.diff(true, axis=1)))


def test_bands_may_be_fewer_and_in_any_order() -> None:
    all_bands, some = colour_tracks("lsst", BANDS), colour_tracks("lsst", ("i", "g"))

    np.testing.assert_array_equal(some.magnitudes, all_bands.magnitudes[:, :, [3, 1]])


def test_an_unknown_camera_is_refused() -> None:
    with pytest.raises(UnknownFilterSetError, match="no filter set"):
        colour_tracks("box", BANDS)
