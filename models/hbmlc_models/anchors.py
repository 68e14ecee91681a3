"""Anchors: the few labelled galaxies that adapt the network to a tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray

__all__ = ["Anchors", "stratified_anchors", "top_anchors"]

MAX_RELATIVE_ODDS = 10.0
"""Odds end at so many times the candidates' median: one rare anchor must not steer a tile."""
MIN_RELATIVE_ODDS = 1e-3
"""And here: where some were certain to be selected, they still have to weigh something."""
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
    odds = (1 - propensity) / np.maximum(propensity, 1e-9)
    typical = max(float(np.median(odds)), 1e-9) if len(odds) else 1.0
    weight = np.clip(odds[chosen], MIN_RELATIVE_ODDS * typical, MAX_RELATIVE_ODDS * typical)
    positions = np.argsort(candidates[chosen], kind="stable")
    scale = float(weight.mean()) if len(weight) else 1.0
    return Anchors(index=candidates[chosen][positions], weight=weight[positions] / scale)
