"""Figures of merit of two methods on the galaxies that have no label, overall and by brightness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np

from hbmlc_models import metrics
from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.evaluate.baseline import boosted_trees
from hbmlc_models.evaluate.examination import Examination
from hbmlc_models.tile import Tile

__all__ = ["Comparison", "GroupComparison", "compare"]

MIN_GALAXIES = 20
"""Fewer give no figure of merit worth printing."""
_MAG_EDGES = (-np.inf, 22.0, 23.0, 24.0, 25.0, np.inf)
_SCORES = {
    "nmad": metrics.nmad,
    "outlier_fraction": metrics.outlier_fraction,
    "bias_mean": metrics.bias_mean,
    "bias_median": metrics.bias_median,
    "sigma_iqr": metrics.sigma_iqr,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupComparison:
    """Figures of merit of one group of galaxies."""

    label: str
    """What they share, such as ``23 < i < 24``."""
    n_galaxies: int
    """How many they are."""
    scores: Mapping[str, Mapping[str, float]]
    """Method to figure of merit to value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two methods on one examination."""

    n_labelled: int
    """Galaxies with a label: what both methods learnt from."""
    n_examined: int
    """Galaxies without one: what both are judged by."""
    groups: Sequence[GroupComparison]
    """All of them first, then by brightness."""

    def as_dict(self) -> dict[str, object]:
        """JSON document."""
        return asdict(self)


def compare(examination: Examination, *, seed: int = 0) -> Comparison:
    """Judge a result and boosted trees by the galaxies without a label.

    Raises
    ------
    ValueError
        No galaxy has a label, or all of them have.
    """
    tile = examination.tile
    examined = ~tile.is_labelled & np.isfinite(examination.z_true)
    if not examined.any():
        raise ValueError("Every galaxy has a spectroscopic redshift: nothing to examine.")
    answers = {"hbmlc": examination.z_phot, "xgboost": boosted_trees(tile, seed=seed)}
    groups = [
        GroupComparison(
            label=label,
            n_galaxies=int(members.sum()),
            scores={
                name: _scores(z[members], examination.z_true[members])
                for name, z in answers.items()
            },
        )
        for label, members in _groups(tile, examined)
    ]
    return Comparison(
        n_labelled=tile.n_labelled, n_examined=int(examined.sum()), groups=tuple(groups)
    )


def _scores(z_phot: FloatArray, z_true: FloatArray) -> dict[str, float]:
    """Figures of merit by name."""
    return {name: score(z_phot, z_true) for name, score in _SCORES.items()}


def _groups(tile: Tile, examined: BoolArray) -> list[tuple[str, BoolArray]]:
    """All examined galaxies, then those in each interval of magnitude that holds enough."""
    bands = tile.photometry.bands
    band = "i" if "i" in bands else bands[len(bands) // 2]
    mag = tile.photometry.mag[:, bands.index(band)]
    groups = [("all", examined)]
    for low, high in pairwise(_MAG_EDGES):
        members = examined & (mag >= low) & (mag < high)
        if members.sum() >= MIN_GALAXIES:
            groups.append((_label(band, low, high), members))
    return groups


def _label(band: str, low: float, high: float) -> str:
    """Interval in words."""
    if np.isinf(low):
        return f"{band} < {high:g}"
    return f"{band} > {low:g}" if np.isinf(high) else f"{low:g} < {band} < {high:g}"
