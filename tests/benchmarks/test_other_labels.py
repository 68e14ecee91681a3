"""The same galaxies with other labels make other examinations."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from benchmarks.other_labels import OtherLabels, draw_labels, without_bands
from surveys import simulate_tile

from hbmlc_models.evaluate import Sky
from hbmlc_models.selection.frame import make_frame

N = 2_000


@pytest.fixture(scope="module")
def sky() -> Sky:
    z_true = np.random.default_rng(4).uniform(0.1, 2.0, N)
    return Sky(tile=simulate_tile(N), ids=pa.array([str(k) for k in range(N)]), z_true=z_true)


def test_every_second_galaxy_has_a_label_whatever_it_looks_like(sky: Sky) -> None:
    found = draw_labels(OtherLabels.HALF, sky, seed=0)

    mag = make_frame(sky.tile.photometry).reference_mag(sky.tile.photometry)
    assert found.mean() == pytest.approx(0.5, abs=0.05)
    assert np.median(mag[found]) == pytest.approx(np.median(mag), abs=0.1)


def test_near_labels_are_bright_and_near(sky: Sky) -> None:
    found = draw_labels(OtherLabels.NEAR, sky, seed=0)

    mag = make_frame(sky.tile.photometry).reference_mag(sky.tile.photometry)
    assert found.sum() > 50
    assert sky.z_true[found].max() < np.median(sky.z_true)
    assert mag[found].max() < np.median(mag)


def test_red_labels_are_redder_than_the_sky(sky: Sky) -> None:
    found = draw_labels(OtherLabels.RED, sky, seed=0)

    photometry = sky.tile.photometry
    mag = -2.5 * np.log10(photometry.flux.clip(1e-13))
    band = photometry.bands.index("r")
    colour = mag[:, band] - mag[:, band + 1]
    assert found.sum() > 50
    assert colour[found].min() > np.median(colour)


def test_few_labels_are_some_of_those_there_are(sky: Sky) -> None:
    own = sky.tile.is_labelled

    found = draw_labels(OtherLabels.FEW, sky, seed=0)

    assert 40 <= found.sum() <= 90
    assert not (found & ~own).any()
    np.testing.assert_array_equal(draw_labels(OtherLabels.NARROW, sky, seed=0), own)


def test_bands_are_left_out_with_all_that_belongs_to_them() -> None:
    catalog = pa.table({name: [1.0] for name in ("id", "mag_u", "mag_err_u", "mag_g", "depth_u")})

    assert without_bands(catalog, ("u",)).column_names == ["id", "mag_g"]
