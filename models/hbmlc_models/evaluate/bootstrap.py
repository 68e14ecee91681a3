"""Is one method better than another, or lucky? Paired bootstrap over galaxies.

Both methods answered for the same galaxies, whose difficulty they share: galaxies are resampled
once for both, so that the share cancels from the ratio (Efron & Tibshirani 1993, ch. 13).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, ShapeMismatchError
from hbmlc_models.metrics import CATASTROPHIC_THRESHOLD

__all__ = ["Interval", "median_error", "outlier_share", "paired_ratio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A number and where it may lie."""

    value: float
    """From all galaxies."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end."""


def median_error(error: FloatArray) -> FloatArray:
    """Median absolute error along the last axis; proportional to the NMAD."""
    return np.median(np.abs(error), axis=-1)


def outlier_share(error: FloatArray) -> FloatArray:
    """Share of catastrophic errors along the last axis, with half a galaxy added.

    The half keeps the ratio of two good methods finite.

    Examples
    --------
    >>> float(outlier_share(np.array([0.0, 0.2, 0.0, 0.0])))
    0.375
    """
    return (np.sum(np.abs(error) > CATASTROPHIC_THRESHOLD, axis=-1) + 0.5) / error.shape[-1]


def paired_ratio(
    ours: FloatArray,
    theirs: FloatArray,
    statistic: Callable[[FloatArray], FloatArray],
    *,
    rng: np.random.Generator,
    n_resamples: int = 400,
    level: float = 0.95,
) -> Interval:
    """Ratio of a statistic of two methods' scaled errors, with a percentile interval.

    Parameters
    ----------
    ours, theirs
        Scaled redshift errors, ``(n_runs, n_galaxies)`` or ``(n_galaxies,)``; runs differ in their
        seed and the statistic is averaged over them.
    statistic
        Reduces the last axis, such as ``median_error``.

    Raises
    ------
    ShapeMismatchError
        The two methods did not answer for the same galaxies.
    """
    if ours.shape[-1] != theirs.shape[-1]:
        raise ShapeMismatchError("theirs", theirs.shape, ours.shape)
    n_galaxies = ours.shape[-1]

    def ratio(rows: slice | np.ndarray) -> float:
        return float(np.mean(statistic(ours[..., rows])) / np.mean(statistic(theirs[..., rows])))

    drawn = [ratio(rng.integers(0, n_galaxies, n_galaxies)) for _ in range(n_resamples)]
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(value=ratio(slice(None)), low=float(low), high=float(high))
