r"""How alike the labelled and the unlabelled galaxies are, before and after weighting.

A labelled galaxy of propensity s stands for :math:`(1-s)/s` unlabelled ones. Truncated, these odds
are the weights with which the labels imitate the sky; the standardised mean difference of each
feature says how well (Austin 2009, Stat. Med. 28, 3083), Kish's size what it costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.odds import truncated, unselected_odds

__all__ = [
    "Balance",
    "BalanceSums",
    "balance_columns",
    "kish_size",
    "selection_odds",
    "typical_odds",
]


def selection_odds(propensity: FloatArray, is_labelled: BoolArray) -> FloatArray:
    """Truncated (1-s)/s of the labelled galaxies, ``(n_galaxies,)``; 0 for the others.

    ``propensity`` is p(S=1 given F) of the galaxies of a tile.
    """
    odds = truncated(unselected_odds(propensity), typical=typical_odds(is_labelled))
    return np.where(is_labelled, odds, 0.0)


def typical_odds(is_labelled: BoolArray) -> float:
    """Unlabelled galaxies of a tile for each labelled one; 1 where there are none of either."""
    n_labelled = int(is_labelled.sum())
    return max(len(is_labelled) - n_labelled, 1) / max(n_labelled, 1)


def kish_size(weight: FloatArray) -> float:
    r"""Effective number of galaxies of ``weight``, :math:`(\sum w)^2 / \sum w^2`; Kish 1965.

    Examples
    --------
    >>> kish_size(np.array([1.0, 1.0, 0.0])), kish_size(np.array([1.0, 9.0]))
    (2.0, 1.2195121951219512)
    """
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Standardised mean differences, labelled minus unlabelled; both ``(n_features,)``.

    NaN where one side has fewer than two galaxies.
    """

    before: FloatArray
    """As they are."""
    after: FloatArray
    """With the labelled galaxies weighted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceSums:
    """Sums over the galaxies of some tiles; add those of two parts to get those of both.

    Rows are the unlabelled, the labelled, and the labelled with their weights.
    """

    size: FloatArray
    """Sum of weights of the galaxies in which a feature is known, ``(3, n_features)``."""
    total: FloatArray
    """Weighted sum of each feature, ``(3, n_features)``."""
    squares: FloatArray
    """Weighted sum of its squares, ``(3, n_features)``."""

    @classmethod
    def of(cls, features: FloatArray, weight: FloatArray, is_labelled: BoolArray) -> BalanceSums:
        """Sums over galaxies with ``features`` ``(n_galaxies, n_features)``; NaN: not observed."""
        known = np.isfinite(features)
        value = np.where(known, features, 0.0)
        groups = [~is_labelled, is_labelled, np.where(is_labelled, weight, 0)]
        weights = np.stack(groups).astype(np.float64)
        return cls(size=weights @ known, total=weights @ value, squares=weights @ value**2)

    def __add__(self, other: BalanceSums) -> BalanceSums:
        return BalanceSums(
            size=self.size + other.size,
            total=self.total + other.total,
            squares=self.squares + other.squares,
        )

    def balance(self) -> Balance:
        """Differences of the means in units of the mean spread of the two samples."""
        size = np.maximum(self.size, 1e-300)
        mean = self.total / size
        variance = np.maximum(self.squares / size - mean**2, 0)
        spread = np.sqrt(0.5 * (variance[0] + variance[1]))
        is_known = (self.size[:2].min(axis=0) > 1) & (spread > 0)
        scale = np.where(is_known, spread, np.nan)
        return Balance(before=(mean[1] - mean[0]) / scale, after=(mean[2] - mean[0]) / scale)


def balance_columns(balance: Balance, names: tuple[str, ...]) -> Mapping[str, float]:
    """Columns of the table of tiles: the largest, the mean, and each feature's own difference."""
    columns: dict[str, float] = {}
    for when, values in (("before", balance.before), ("after", balance.after)):
        size = np.abs(values[np.isfinite(values)])
        columns[f"smd_{when}_max"] = float(size.max()) if len(size) else np.nan
        columns[f"smd_{when}_mean"] = float(size.mean()) if len(size) else np.nan
        columns |= {
            f"smd_{when}_{name}": float(value) for name, value in zip(names, values, strict=True)
        }
    return columns
