"""Galaxies of a tile that might get a spectrum, and what the choice among them needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.expected_loss import least_loss
from hbmlc_models.formats.spool import Spooled
from hbmlc_models.tile import Tile

__all__ = ["SHOWN", "Candidates", "gather_candidates"]

SHOWN = ("z_phot", "z_std", "support", "p_selected")
"""Columns of the result table that the list repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates(Spooled):
    """Galaxies never selected that are seen in the reference band; first axis ``n_galaxies``."""

    position: IntArray
    """Place in the tile."""
    features: FloatArray
    """Brightness and colours, ``(n_galaxies, n_features)``; NaN where not observed."""
    mag: FloatArray
    """Magnitude in the reference band [AB mag]."""
    risk: FloatArray
    """Expected loss of the point estimate under the galaxy's own p(z), 0 to 1."""
    shown: FloatArray
    """The columns ``SHOWN``, ``(n_galaxies, 4)``."""


def gather_candidates(
    tile: Tile,
    columns: Mapping[str, FloatArray | IntArray],
    pdf: FloatArray,
    *,
    features: FloatArray,
    reference: int,
    z_grid: FloatArray,
    price: float,
) -> Candidates:
    """Candidates of a tile.

    ``columns`` holds ``SHOWN``, ``pdf`` the calibrated p(z) ``(n_galaxies, n_grid)``,
    ``features`` brightness and colours; ``reference`` is the index of the reference band,
    ``price`` the survey's for point estimates that are too low. Galaxies that were selected and
    yielded no redshift were tried already and are left out.
    """
    mag = tile.photometry.mag[:, reference]
    rows = np.flatnonzero(~tile.selected & np.isfinite(mag))
    return Candidates(
        position=rows,
        features=features[rows].astype(np.float32),
        mag=mag[rows].astype(np.float32),
        risk=least_loss(pdf[rows], z_grid, price=price).risk.astype(np.float32),
        shown=np.column_stack([columns[name][rows] for name in SHOWN]).astype(np.float32),
    )
