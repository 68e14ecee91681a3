"""A mixture taught without noise knows the redshifts that photometry can tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.noise_free import Z_GRID, noise_free_mixture

from hbmlc_models.evaluate import Sky
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.frame import make_frame
from hbmlc_models.tile import Tile

N = 3_000
ERROR = 0.02


def test_redshifts_are_known_as_well_as_noise_lets_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    z_true = rng.uniform(0.2, 1.2, N)
    # One colour rises with redshift by 2 mag a unit; the brightness says nothing.
    magnitudes = rng.uniform(20, 22, N)[:, None] + np.column_stack([2 * z_true, np.zeros(N)])
    flux = 10 ** (-0.4 * magnitudes)
    observed = flux * (1 + ERROR * rng.standard_normal(flux.shape))
    photometry = Photometry(
        bands=("g", "i"),
        flux=observed,
        flux_err=ERROR * observed,
        is_detected=np.ones(flux.shape, dtype=bool),
    )
    tile = Tile(
        name="sky",
        index=0,
        row=np.arange(N),
        photometry=photometry,
        z_spec=np.full(N, np.nan),
        selected=np.zeros(N, dtype=bool),
    )
    sky = Sky(tile=tile, ids=pa.array([str(row) for row in range(N)]), z_true=z_true)
    parent = tmp_path / "parent.parquet"
    columns = {"redshift": z_true, "g": magnitudes[:, 0], "i": magnitudes[:, 1]}
    pq.write_table(pa.table(columns), parent)
    frame = make_frame(photometry)

    taught = noise_free_mixture(parent, sky, frame, 40)
    density = taught.photometric_density(*frame.luptitudes(photometry), Z_GRID)

    # Two bands with that noise and the floor of 1 % leave as much of a redshift.
    scatter = np.hypot(ERROR, 0.01) * 2**0.5 * 1.086 / 2
    assert np.std(density @ Z_GRID - z_true) == pytest.approx(scatter, rel=0.25)
