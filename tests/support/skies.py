"""A sky whose p(z) and selection are known exactly, on a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from hbmlc_models.expected_loss import BIAS_PRICE
from hbmlc_models.n_of_z import BetaPrior, RedshiftCells, TileEvidence, gather_evidence
from hbmlc_models.photometry import Photometry, flux_from_mag
from hbmlc_models.tile import Tile

Z_GRID = np.linspace(0.0, 3.0, 301)
CELLS = RedshiftCells.cover(Z_GRID)
SCATTER = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """One tile, its exact answer and its truth."""

    tile: Tile
    columns: dict[str, np.ndarray]
    pdf: np.ndarray
    z_true: np.ndarray
    beta: float

    def evidence(
        self, *, bias: float = 0.0, beta: float | None = None, held_out: np.ndarray | None = None
    ) -> TileEvidence:
        """Evidence if every p(z) were moved by ``bias`` and β taken for ``beta``."""
        pdf = np.stack([np.interp(Z_GRID - bias, Z_GRID, row) for row in self.pdf])
        columns = {**self.columns, "z_phot": Z_GRID[pdf.argmax(axis=1)]}
        return gather_evidence(
            self.tile,
            columns,
            pdf,
            held_out=self.tile.is_labelled if held_out is None else held_out,
            beta=BetaPrior(mean=self.beta if beta is None else beta, scale=0.5),
            z_grid=Z_GRID,
            cells=CELLS,
            price=BIAS_PRICE,
        )


def make_sky(n_galaxies: int = 4000, *, seed: int = 1, beta: float = 0.0, index: int = 0) -> Sky:
    """Galaxies seen as a noisy redshift x; labels depend on x, and on z with ``beta``."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.5, 2.3, n_galaxies)
    chance = norm(x[:, None], SCATTER).pdf(Z_GRID)
    chance /= chance.sum(axis=1, keepdims=True)
    node = (rng.random((n_galaxies, 1)) > np.cumsum(chance, axis=1)).sum(axis=1)
    z_true = Z_GRID[np.minimum(node, 300)]
    selected_at = expit(1.0 - 1.5 * x[:, None] + beta * (Z_GRID - x[:, None]))
    selected = rng.random(n_galaxies) < selected_at[np.arange(n_galaxies), np.minimum(node, 300)]
    joint = chance * np.where(selected[:, None], selected_at, 1 - selected_at)
    flux = flux_from_mag(np.column_stack([22 + x, 21 + x]))
    return Sky(
        tile=Tile(
            name=f"t{index}",
            index=index,
            row=np.arange(n_galaxies) + n_galaxies * index,
            photometry=Photometry(
                bands=("g", "i"), flux=flux, flux_err=flux / 20, is_detected=flux > 0
            ),
            z_spec=np.where(selected, z_true, np.nan),
            selected=selected,
        ),
        columns={
            "z_phot": Z_GRID[joint.argmax(axis=1)],
            "p_selected": (chance * selected_at).sum(axis=1),
        },
        pdf=joint / joint.sum(axis=1, keepdims=True) / (Z_GRID[1] - Z_GRID[0]),
        z_true=z_true,
        beta=beta,
    )
