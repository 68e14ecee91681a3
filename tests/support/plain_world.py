"""A world that no simulator knows: galaxies of one type, dimmer with redshift, half labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.photometry import Photometry, flux_from_mag
from hbmlc_models.tile import Tile

BANDS = "ugrizy"
SLOPES = np.array([2.5, 2.0, 1.4, 0.9, 0.6, 0.5])
"""Magnitudes lost for one unit of redshift."""
MAG_ERR = 0.03
ONE_WAY = {
    "hbmlc_models.selection.population.REACHES": (0.8,),
    "hbmlc_models.selection.population.TRENDS": (False,),
    "hbmlc_models.selection.matching.N_FOLDS": 2,
}
"""One way of dimming labels: its rivals cost the time and are tested elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Galaxies:
    """Galaxies of the world; arrays are ``(n_galaxies, …)``."""

    z: FloatArray
    mag: FloatArray
    is_labelled: BoolArray


def draw(n_galaxies: int, *, seed: int) -> Galaxies:
    """Draw galaxies between redshifts 0.1 and 1.5."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.1, 1.5, n_galaxies)
    mag = 20 + rng.normal(0, 0.5, (n_galaxies, 1)) + SLOPES * z[:, None]
    return Galaxies(
        z=z,
        mag=mag + rng.normal(0, MAG_ERR, mag.shape),
        is_labelled=rng.random(n_galaxies) < 0.5,
    )


def make_tile(n_galaxies: int = 600, *, seed: int = 5) -> Tile:
    """The galaxies as a sample of a catalogue, with an optional column."""
    found = draw(n_galaxies, seed=seed)
    flux = flux_from_mag(found.mag)
    return Tile(
        name="survey",
        index=-1,
        row=np.arange(n_galaxies),
        photometry=Photometry(
            bands=tuple(BANDS), flux=flux, flux_err=MAG_ERR * flux, is_detected=flux > 0
        ),
        z_spec=np.where(found.is_labelled, found.z, np.nan),
        selected=found.is_labelled,
        extras={"size": np.random.default_rng(seed).uniform(0.5, 1, n_galaxies)},
    )


def make_csv(n_galaxies: int = 600, *, seed: int = 5) -> bytes:
    """The galaxies as an upload of two tiles."""
    found = draw(n_galaxies, seed=seed)
    columns = [f"mag_{band},mag_err_{band}" for band in BANDS]
    lines = [",".join(["id", "tile", *columns, "z_spec"])]
    for k in range(n_galaxies):
        values = [f"{mag:.4f},{MAG_ERR}" for mag in found.mag[k]]
        label = f"{found.z[k]:.4f}" if found.is_labelled[k] else ""
        lines.append(",".join([str(k), f"tile-{k % 2}", *values, label]))
    return ("\n".join(lines) + "\n").encode()
