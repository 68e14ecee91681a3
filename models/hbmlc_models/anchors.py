"""Anchors: the few labelled galaxies that adapt the network to a tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.odds import truncated, unselected_odds

__all__ = ["Anchors", "stratified_anchors", "top_anchors"]

N_STRATA = 5
"""Strata of propensity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """Chosen galaxies of a tile."""

    index: IntArray
    """Positions in the tile, ascending, ``(n_anchors,)``."""
    weight: FloatArray
    """Weights with mean one, ``(n_anchors,)``."""


def top_anchors(candidates: IntArray, propensity: FloatArray, *, n_anchors: int) -> Anchors:
    """The candidates most likely to have been selected, all of weight one.

    ``propensity`` is p(S=1 given F) of the ``candidates``, ``(n_candidates,)`` both.
    """
    order = np.argsort(-propensity, kind="stable")[:n_anchors]
    index = np.sort(candidates[order])
    return Anchors(index=index, weight=np.ones(len(index)))


def stratified_anchors(
    candidates: IntArray,
    propensity: FloatArray,
    *,
    n_anchors: int,
    rng: np.random.Generator,
) -> Anchors:
    """As many candidates from each stratum of propensity, weighted by truncated inverse odds.

    The most likely galaxies sample what the labels cover already; the weights (1-s)/s lean
    towards the galaxies that stand for the unlabelled ones.
    """
    order = np.argsort(propensity, kind="stable")
    strata = [rng.permutation(stratum) for stratum in np.array_split(order, N_STRATA)]
    # Round robin over the strata until there are enough.
    longest = max((len(stratum) for stratum in strata), default=0)
    turns = [s[turn] for turn in range(longest) for s in strata if turn < len(s)]
    chosen = np.sort(np.array(turns[:n_anchors], dtype=int))
    odds = unselected_odds(propensity)
    typical = max(float(np.median(odds)), 1e-9) if len(odds) else 1.0
    weight = truncated(odds[chosen], typical=typical)
    positions = np.argsort(candidates[chosen], kind="stable")
    scale = float(weight.mean()) if len(weight) else 1.0
    return Anchors(index=candidates[chosen][positions], weight=weight[positions] / scale)
