"""Simulated tiles that no shipped version has seen, and how an answer for one is judged."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from hbmlc_models import metrics
from hbmlc_models.arrays import FloatArray
from hbmlc_models.metalearning.infer import outputs_density
from hbmlc_models.metalearning.network import Head, query_loss
from hbmlc_models.pdf import point_estimates
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.training import TrainingRecipe
from hbmlc_models.training.simulated_tasks import TileInputs, prepare_tiles
from hbmlc_models.training.version import simulate_tiles

__all__ = ["HELD_OUT_SEED", "SCORES", "TileScores", "held_out_tiles", "paired", "score_tile"]

HELD_OUT_SEED = 0x48454C44
"""Seed of the worlds; no recipe has it."""
Z_GRID = np.linspace(0.0, 4.0, 401)
N_RESAMPLES = 2000
_LOG_ROOT_TWO_PI = 0.5 * float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True, kw_only=True)
class TileScores:
    """How good the answer for one tile is; less is better throughout."""

    nmad: float
    """Scatter about zero."""
    outlier_fraction: float
    """Share of catastrophic errors."""
    cde_loss: float
    """Loss of the density."""
    nll: float
    """Negative log density of the true log(1+z)."""


SCORES = tuple(field.name for field in fields(TileScores))
"""Names of the scores."""


def held_out_tiles(
    recipe: TrainingRecipe, frame: LuptitudeFrame | None, *, n_worlds: int, seed: int = 0
) -> tuple[LuptitudeFrame, list[TileInputs]]:
    """Tiles of worlds that are like those of a recipe and none of them."""
    unseen = replace(recipe, seed=HELD_OUT_SEED + seed)
    return prepare_tiles(simulate_tiles(unseen, range(n_worlds)), frame=frame)


def score_tile(outputs: FloatArray, z_true: FloatArray) -> TileScores:
    """Scores of raw outputs of a density head ``(n_galaxies, n_outputs)``."""
    pdf = outputs_density(outputs, Z_GRID, head=Head.MIXTURE) / (Z_GRID[1] - Z_GRID[0])
    z_phot = point_estimates(pdf, Z_GRID).best
    losses = query_loss(
        torch.from_numpy(outputs), torch.from_numpy(z_true.astype(np.float32)), head=Head.MIXTURE
    )
    return TileScores(
        nmad=metrics.nmad(z_phot, z_true),
        outlier_fraction=metrics.outlier_fraction(z_phot, z_true),
        cde_loss=metrics.cde_loss(pdf, Z_GRID, z_true),
        nll=float(losses.mean()) + _LOG_ROOT_TWO_PI,
    )


def paired(ours: list[TileScores], others: list[TileScores]) -> dict[str, tuple[float, ...]]:
    """Mean of ours, and our mean less theirs with a 95 % interval, bootstrapped over tiles."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(ours), (N_RESAMPLES, len(ours)))
    found: dict[str, tuple[float, ...]] = {}
    for name in SCORES:
        own = np.array([getattr(score, name) for score in ours])
        difference = own - np.array([getattr(score, name) for score in others])
        low, high = np.quantile(difference[draws].mean(axis=1), [0.025, 0.975])
        found[name] = (float(own.mean()), float(difference.mean()), float(low), float(high))
    return found
