"""Figures of merit of all methods on one examination, by groups, with paired intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.announced.methods import MethodAnswers
from benchmarks.figures_of_merit import FIFTH_SCORES, POINT_SCORES, density_scores
from benchmarks.groups import galaxy_groups
from hbmlc_models import metrics
from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.evaluate import Interval, median_error, outlier_share, paired_ratio
from hbmlc_models.photometry import Photometry

__all__ = ["FAINT_AND_FAR", "MethodScores", "score_methods"]

FAINT_AND_FAR = "faint, z > 1"
"""The fainter half of the galaxies beyond redshift one: where methods differ most."""
_REFERENCE = "HB-MLC"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodScores:
    """One method on one examination."""

    examination: str
    method: str
    n_runs: int
    milliseconds: float
    """Time a galaxy, learning included."""
    groups: Mapping[str, Mapping[str, float]]
    """Group to figure of merit of point estimates, mean over runs."""
    scatter: Mapping[str, float]
    """Standard deviation over runs, all galaxies."""
    density: Mapping[str, float]
    """Figures of merit of p(z), and of the propensity fifth where its PIT is least uniform."""
    ratios: Mapping[str, Interval]
    """HB-MLC's figure over this method's, on the same galaxies; below one HB-MLC is better."""


def score_methods(
    examination: str,
    answers: Sequence[MethodAnswers],
    photometry: Photometry,
    z_true: FloatArray,
    propensity: FloatArray,
) -> list[MethodScores]:
    """Score every method; arrays are those of the galaxies without a label."""
    groups = galaxy_groups(photometry, z_true, propensity)
    groups[FAINT_AND_FAR] = _faint_and_far(photometry, z_true)
    ours = next(found for found in answers if found.method == _REFERENCE)
    return [
        MethodScores(
            examination=examination,
            method=found.method,
            n_runs=len(found.z_phot),
            milliseconds=round(found.milliseconds, 4),
            groups={label: _points(found, z_true, rows) for label, rows in groups.items()},
            scatter={
                key: float(np.std([score(z, z_true) for z in found.z_phot]))
                for key, score in POINT_SCORES.items()
            },
            density=_density(found, z_true, propensity),
            ratios={} if found is ours else _ratios(ours, found, z_true),
        )
        for found in answers
    ]


def _faint_and_far(photometry: Photometry, z_true: FloatArray) -> BoolArray:
    """The fainter half of the galaxies with z > 1, ``(n_galaxies,)``."""
    bands = photometry.bands
    mag = photometry.mag[:, bands.index("i" if "i" in bands else bands[len(bands) // 2])]
    far = z_true > 1
    if not far.any():
        return far
    return far & (mag > np.nanmedian(mag[far]))


def _points(found: MethodAnswers, z_true: FloatArray, rows: BoolArray) -> dict[str, float]:
    if not rows.any():
        return {}
    return {
        key: float(np.mean([score(z[rows], z_true[rows]) for z in found.z_phot]))
        for key, score in POINT_SCORES.items()
    }


def _density(found: MethodAnswers, z_true: FloatArray, propensity: FloatArray) -> dict[str, float]:
    """Means over runs."""
    if not found.pdf:
        return {}
    runs = [density_scores(pdf, found.z_grid, z_true, propensity) for pdf in found.pdf]
    for run in runs:
        run["pit_ks_worst_fifth"] = max(run.pop(key) for key in FIFTH_SCORES)
    return {key: float(np.mean([run[key] for run in runs])) for key in runs[0]}


def _ratios(ours: MethodAnswers, theirs: MethodAnswers, z_true: FloatArray) -> dict[str, Interval]:
    errors = [metrics.scaled_delta_z(found.z_phot, z_true) for found in (ours, theirs)]
    return {
        key: paired_ratio(*errors, statistic, rng=np.random.default_rng(0), n_resamples=300)
        for key, statistic in (("nmad", median_error), ("outlier_fraction", outlier_share))
    }
