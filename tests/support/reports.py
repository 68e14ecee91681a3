"""Reports of a sky whose densities are calibrated by construction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.stats import norm
from skies import make_sky

from hbmlc_models.balance import Balance
from hbmlc_models.formats.spool import Spool
from hbmlc_models.n_of_z import NOfZ, NOfZCollector
from hbmlc_models.photometry import Photometry, flux_from_mag
from hbmlc_models.report import ReportCollector, ReportData
from hbmlc_models.tile import Tile

Z_GRID = np.linspace(0.0, 3.0, 301)
SCATTER = 0.05


def make_tile(index: int, *, n: int = 400, has_sky: bool = True) -> tuple[Tile, dict, np.ndarray]:
    """A tile, its columns and densities that are calibrated by construction."""
    rng = np.random.default_rng(index)
    z = rng.uniform(0.2, 2.5, n)
    z_phot = rng.normal(z, SCATTER)
    flux = flux_from_mag(rng.uniform(18, 25, (n, 2)))
    selected = rng.random(n) < 0.4
    tile = Tile(
        name=f"t{index}",
        index=index,
        row=np.arange(n) + index * n,
        photometry=Photometry(
            bands=("g", "i"), flux=flux, flux_err=flux / 20, is_detected=flux > 0
        ),
        z_spec=np.where(selected, z, np.nan),
        selected=selected,
        ra=np.full(n, 359.0 + index) % 360 if has_sky else None,
        dec=np.full(n, -1.0 * index) if has_sky else None,
    )
    columns = {"z_phot": z_phot, "p_selected": np.full(n, 0.4)}
    return tile, columns, norm.pdf(Z_GRID, z_phot[:, None], SCATTER)


def collect(n_tiles: int = 3, *, has_sky: bool = True, held_share: float = 0.5) -> ReportData:
    collector = ReportCollector(Z_GRID, bands=("g", "i"))
    rows: list[dict[str, object]] = []
    for index in range(n_tiles):
        tile, columns, pdf = make_tile(index, has_sky=has_sky)
        held = np.random.default_rng(index + 99).random(tile.n_galaxies) < held_share
        collector.add(tile, columns, pdf, held_out=held)
        rows.append(
            {
                "tile": tile.name,
                "n_galaxies": tile.n_galaxies,
                "n_labelled": tile.n_labelled,
                "r_hat": 1.001,
                "is_converged": index > 0,
            }
        )
    data = collector.finish(
        title="<b>Sky & co</b>", tile_rows=rows, provenance={"model": "lsst-ugrizy:1", "seed": "7"}
    )
    return replace(
        data,
        tomography=make_distributions(),
        balance=Balance(before=np.array([-1.2, 0.4]), after=np.array([-0.1, np.nan])),
        features=("mag_i", "g_i"),
    )


def make_distributions() -> NOfZ:
    """Redshift distributions of a small sky in one tile."""
    sky = make_sky(400)
    with TemporaryDirectory() as folder, Spool(Path(folder) / "evidence") as spool:
        collector = NOfZCollector(spool, Z_GRID, beta_scale=0.5)
        collector.add("t0", sky.evidence(), tilt_std=0.1)
        return collector.finish()
