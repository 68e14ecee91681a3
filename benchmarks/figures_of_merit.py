"""The figures of merit of every table, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.groups import fifths
from hbmlc_models import metrics
from hbmlc_models.arrays import FloatArray

__all__ = ["FIFTH_SCORES", "FORMS", "POINT_SCORES", "density_scores", "point_scores"]

POINT_SCORES: Mapping[str, Callable[[FloatArray, FloatArray], float]] = {
    "nmad": metrics.nmad,
    "outlier_fraction": metrics.outlier_fraction,
    "bias_mean": metrics.bias_mean,
}
"""Functions of point estimates and true redshifts."""
FIFTH_SCORES = tuple(f"pit_ks_fifth_{number}" for number in range(1, 6))
"""Distance of the PIT from uniform in fifths of propensity, the least likely galaxies first."""
FORMS: Mapping[str, str] = {
    "nmad": ".4f",
    "outlier_fraction": ".1%",
    "bias_mean": "+.3f",
    "cde_loss": ".2f",
    "pit_ks": ".3f",
    "crps": ".3f",
}
"""Format of each figure in a table, in the order of its columns."""


def point_scores(z_phot: FloatArray, z_true: FloatArray) -> dict[str, float]:
    """Figures of merit of point estimates; both ``(n_galaxies,)``."""
    return {key: score(z_phot, z_true) for key, score in POINT_SCORES.items()}


def density_scores(
    pdf: FloatArray,
    z_grid: FloatArray,
    z_true: FloatArray,
    p_selected: FloatArray | None = None,
) -> dict[str, float]:
    """Figures of merit of densities ``(n_galaxies, n_grid)``, PIT also in fifths of propensity."""
    pit = metrics.pit(pdf, z_grid, z_true)
    scores = {
        "cde_loss": metrics.cde_loss(pdf, z_grid, z_true),
        "pit_ks": metrics.pit_ks(pit),
        "crps": metrics.crps(pdf, z_grid, z_true),
    }
    if p_selected is not None:
        for key, members in zip(FIFTH_SCORES, fifths(p_selected), strict=True):
            scores[key] = metrics.pit_ks(pit[members])
    return scores
