"""The trend of colour with brightness is found where labels show it, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import make_frame_of, make_photometry

from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.colour_trend import colour_trend

FRAME = make_frame_of(softening=1e-14)
REFERENCE = FRAME.reference


def labels(n: int, *, slope: float, seed: int = 1) -> tuple[Photometry, np.ndarray]:
    """Galaxies whose first colour changes with redshift and, by ``slope``, with brightness."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.1, 1.0, n)
    mag = rng.normal(21, 1, n)
    mags = np.repeat(mag[:, None], 4, axis=1)
    mags[:, 0] += 1.5 * z + slope * (mag - 21) + 0.1 * rng.standard_normal(n)
    return make_photometry(mags), z


@pytest.mark.parametrize("slope", [-0.3, 0.0, 0.2])
def test_trend_is_recovered_at_fixed_redshift(slope: float) -> None:
    photometry, z = labels(3_000, slope=slope)

    found = colour_trend(photometry, z, FRAME)

    # The prior of no trend, thirty galaxies strong, takes a part of it.
    assert found[:, 0].mean() == pytest.approx(slope, abs=0.04 + 0.35 * abs(slope))
    assert np.abs(found[:, REFERENCE]).max() == 0
    assert abs(found[:, 1].mean()) < 0.02


def test_few_labels_show_no_trend() -> None:
    photometry, z = labels(15, slope=-0.3)

    assert not colour_trend(photometry, z, FRAME).any()


def test_bands_that_were_not_observed_have_no_trend() -> None:
    photometry, z = labels(500, slope=-0.3)
    flux = photometry.flux.copy()
    flux[:, 0] = np.nan
    unseen = Photometry(
        bands=photometry.bands,
        flux=flux,
        flux_err=np.where(np.isnan(flux), np.nan, photometry.flux_err),
        is_detected=np.isfinite(flux),
    )

    found = colour_trend(unseen, z, FRAME)

    assert np.isfinite(found).all()
    assert not found[:, 0].any()
