r"""What each galaxy of a tile says of the redshift distribution of the unlabelled ones.

An unlabelled galaxy brings its p(z). A labelled one that no fit has seen brings its residual, the
truth minus the p(z) that it would have without a label; with
:math:`p(S=0 \mid F, z) / p(S=1 \mid F, z) = \frac{1-s}{s}\, e^{-\beta z} / E_q[e^{-\beta z}]` of
them, each stands for that many unlabelled galaxies of its photometry *and* redshift.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray, IntArray
from hbmlc_models.balance import selection_odds, typical_odds
from hbmlc_models.expected_loss import least_loss
from hbmlc_models.formats.spool import Spooled
from hbmlc_models.n_of_z.cells import RedshiftCells
from hbmlc_models.odds import MAX_RELATIVE_ODDS
from hbmlc_models.tile import Tile

__all__ = ["BetaPrior", "TileEvidence", "gather_evidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaPrior:
    """The selection's redshift dependence in a tile."""

    mean: float
    """Its posterior mean [per unit z]."""
    scale: float
    """Its prior standard deviation."""

    def band(self) -> tuple[float, float, float]:
        """One standard deviation lower, as it is, one higher."""
        return (self.mean - self.scale, self.mean, self.mean + self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class TileEvidence(Spooled):
    """The galaxies of a tile that have photometry; the first axis is ``n_galaxies``."""

    z_phot: FloatArray
    """Point estimate that the galaxy has, or would have, without a label."""
    probability: FloatArray
    """Its p(z) without a label in the cells, ``(n_galaxies, n_cells)`` float32."""
    is_labelled: BoolArray
    """Whether it has a label."""
    odds: FloatArray
    """Truncated (1-s)/s of the labelled, 0 elsewhere."""
    weight: FloatArray
    """Odds at the true redshift of labels that no fit has seen, at the lower, the posterior and
    the higher β, ``(n_galaxies, 3)``; 0 elsewhere."""
    z_cell: IntArray
    """Cell of the true redshift, where there is a label."""


def gather_evidence(
    tile: Tile,
    columns: Mapping[str, FloatArray | IntArray],
    pdf: FloatArray,
    *,
    held_out: BoolArray,
    beta: BetaPrior,
    z_grid: FloatArray,
    cells: RedshiftCells,
    price: float,
) -> TileEvidence:
    """Evidence of a tile.

    ``columns`` holds ``z_phot`` and ``p_selected`` ``(n_galaxies,)``, ``pdf`` the calibrated p(z)
    ``(n_galaxies, n_grid)``; ``held_out`` marks labels that no fit has seen. ``price`` is
    the survey's for point estimates that are too low.
    """
    seen = np.flatnonzero(tile.photometry.is_observed.any(axis=1))
    tile, pdf = tile.take(seen), pdf[seen]
    labelled = np.flatnonzero(tile.is_labelled)
    odds = selection_odds(columns["p_selected"][seen].astype(float), tile.is_labelled)
    probability = cells.probabilities(pdf).astype(np.float32)
    z_phot = columns["z_phot"][seen].astype(np.float64)
    weight = np.zeros((len(seen), 3), dtype=np.float32)
    z_spec = tile.z_spec[labelled]
    ceiling = MAX_RELATIVE_ODDS * typical_odds(tile.is_labelled)
    use = held_out[seen][labelled]
    for column, value in enumerate(beta.band()):
        ratio = _odds_ratio(probability[labelled], z_spec, value, cells)
        weight[labelled, column] = use * np.minimum(odds[labelled] * ratio, ceiling)
    z_phot[labelled] = least_loss(pdf[labelled], z_grid, slope=-beta.mean, price=price).z
    probability[labelled] = cells.tilted(probability[labelled], -beta.mean)
    return TileEvidence(
        z_phot=z_phot,
        probability=probability,
        is_labelled=tile.is_labelled,
        odds=odds,
        weight=weight,
        z_cell=np.where(tile.is_labelled, cells.index(np.nan_to_num(tile.z_spec)), 0),
    )


def _odds_ratio(
    probability: FloatArray, z_spec: FloatArray, beta: float, cells: RedshiftCells
) -> FloatArray:
    """Odds of having no label at the true redshift over those at the photometry."""
    # Both factors relative to the middle of the grid, so that neither overflows.
    pivot = 0.5 * (cells.edges[0] + cells.edges[-1])
    mean = probability @ np.exp(-beta * (cells.centres - pivot))
    return np.exp(-beta * (z_spec - pivot)) / np.maximum(mean, 1e-30)
