"""Figures of merit of all methods on one examination, over seeds, with paired intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.answers import Answer
from benchmarks.figures_of_merit import POINT_SCORES, density_scores
from benchmarks.groups import galaxy_groups
from hbmlc_models import metrics
from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.evaluate import Interval, Sky, median_error, outlier_share, paired_ratio

__all__ = ["Judgement", "MeanScore", "judge"]

BASELINE = "xgboost"
_POINT_SCORES = {
    **POINT_SCORES,
    "bias_median": metrics.bias_median,
    "sigma_iqr": metrics.sigma_iqr,
}
_STATISTICS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "nmad": median_error,
    "outlier_fraction": outlier_share,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanScore:
    """A figure of merit over seeds."""

    mean: float
    """Mean over seeds."""
    scatter: float
    """Standard deviation over seeds; 0 of a single one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One examination."""

    name: str
    """Examination."""
    seeds: Sequence[int]
    """Seeds of the calibrations."""
    n_labelled: int
    """Galaxies with a label."""
    n_examined: int
    """Galaxies without one: only they count."""
    seconds: float
    """Mean wall-clock time of a calibration."""
    n_galaxies: Mapping[str, int]
    """Group to its number of galaxies, of the first seed."""
    scores: Mapping[str, Mapping[str, Mapping[str, MeanScore]]]
    """Group to method to figure of merit."""
    density: Mapping[str, MeanScore]
    """Figures of merit of p(z)."""
    ratios: Mapping[str, Mapping[str, Mapping[str, Interval]]]
    """Method to rival to figure of merit: ratio to the rival's, below one is better."""
    worse_groups: Sequence[str]
    """Groups in which hbmlc is worse than XGBoost in scatter or outliers."""

    @property
    def worse_in(self) -> list[str]:
        """Figures of merit, over all galaxies, that XGBoost has better than hbmlc."""
        ratios = self.ratios["hbmlc"][BASELINE]
        return [score for score, ratio in ratios.items() if ratio.value > 1]


def judge(
    name: str, sky: Sky, answers: Mapping[int, Answer], *, n_resamples: int = 400
) -> Judgement:
    """Judge the answers of all seeds."""
    examined = ~sky.tile.is_labelled
    z_true = sky.z_true[examined]
    runs = list(answers.values())
    photometry = sky.tile.photometry.take(examined)
    groups = [galaxy_groups(photometry, z_true, run.p_selected) for run in runs]
    common = [label for label in groups[0] if all(label in group for group in groups)]
    scores = {label: _scores_of_group([g[label] for g in groups], runs, z_true) for label in common}
    densities = [density_scores(run.pdf, run.z_grid, z_true, run.p_selected) for run in runs]
    return Judgement(
        name=name,
        seeds=list(answers),
        n_labelled=sky.tile.n_labelled,
        n_examined=int(examined.sum()),
        seconds=float(np.mean([run.seconds for run in runs])),
        n_galaxies={label: int(groups[0][label].sum()) for label in common},
        scores=scores,
        density={key: _mean([density[key] for density in densities]) for key in densities[0]},
        ratios=_ratios(runs, z_true, n_resamples=n_resamples),
        worse_groups=[label for label in common if _is_worse(scores[label])],
    )


def _scores_of_group(
    members: Sequence[BoolArray], runs: Sequence[Answer], z_true: FloatArray
) -> dict[str, dict[str, MeanScore]]:
    """Figures of merit of each method in one group, whose members may differ by run."""
    return {
        method: {
            score: _mean(
                [
                    function(run.z_phot[method][rows], z_true[rows])
                    for run, rows in zip(runs, members, strict=True)
                ]
            )
            for score, function in _POINT_SCORES.items()
        }
        for method in runs[0].z_phot
    }


def _ratios(
    runs: Sequence[Answer], z_true: FloatArray, *, n_resamples: int
) -> dict[str, dict[str, dict[str, Interval]]]:
    """Each method over boosted trees, and hbmlc over each other method."""
    methods = list(runs[0].z_phot)
    errors = {
        method: np.stack([metrics.scaled_delta_z(run.z_phot[method], z_true) for run in runs])
        for method in methods
    }
    pairs = [(method, BASELINE) for method in methods if method != BASELINE]
    pairs += [("hbmlc", method) for method in methods if method not in {"hbmlc", BASELINE}]
    found: dict[str, dict[str, dict[str, Interval]]] = {}
    for ours, theirs in pairs:
        found.setdefault(ours, {})[theirs] = {
            score: paired_ratio(
                errors[ours],
                errors[theirs],
                statistic,
                rng=np.random.default_rng(0),
                n_resamples=n_resamples,
            )
            for score, statistic in _STATISTICS.items()
        }
    return found


def _is_worse(scores: Mapping[str, Mapping[str, MeanScore]]) -> bool:
    """Whether hbmlc is worse than boosted trees in scatter or outliers."""
    return any(scores["hbmlc"][key].mean > scores[BASELINE][key].mean for key in _STATISTICS)


def _mean(values: Sequence[float]) -> MeanScore:
    return MeanScore(mean=float(np.mean(values)), scatter=float(np.std(values)))
