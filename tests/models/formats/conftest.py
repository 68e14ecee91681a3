"""Uploads as fixtures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from uploads import WRITERS, Columns, Writer, make_columns


@pytest.fixture(params=sorted(WRITERS))
def writer(request: pytest.FixtureRequest) -> Writer:
    return WRITERS[request.param]


@pytest.fixture
def columns() -> Columns:
    return make_columns()


@pytest.fixture
def fits_with_units(tmp_path: Path) -> Path:
    """A FITS table with fluxes in microjansky and an unsigned column."""
    n = 40
    rng = np.random.default_rng(3)
    path = tmp_path / "units.fits"
    fits.BinTableHDU.from_columns(
        [
            fits.Column(name="id", format="J", bzero=2**31, array=np.arange(n, dtype="u4")),
            fits.Column(name="flux_r", format="E", unit="uJy", array=rng.uniform(1, 9, n)),
            fits.Column(name="flux_err_r", format="E", unit="uJy", array=np.full(n, 0.1)),
            fits.Column(name="shape", format="3E", array=np.zeros((n, 3))),
            fits.Column(name="z_spec", format="E", array=np.where(np.arange(n) < 9, 0.5, np.nan)),
        ]
    ).writeto(path)
    return path
