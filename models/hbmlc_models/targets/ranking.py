"""The best candidates of each region of photometry, and the order of them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.targets.score import expected_gain

__all__ = ["MAX_TARGETS", "PER_REGION", "Shortlist", "rank", "shortlist"]

MAX_TARGETS = 1000
"""Rows of the list at most."""
PER_REGION = 4
"""Galaxies of a region at most: their like teach the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortlist:
    """The best few candidates of each region so far; all ``(n_kept, …)``, by region and worth."""

    region: IntArray
    """Region of photometry."""
    worth: FloatArray
    """Deficit times risk over cost: what orders the candidates of one region."""
    columns: Mapping[str, Any]
    """What the list shows of them; ``tile_index`` and ``position`` break ties."""

    def merged(self, other: Shortlist) -> Shortlist:
        """The best few of both."""
        names = {name: [self.columns[name], other.columns[name]] for name in self.columns}
        return shortlist(
            np.concatenate([self.region, other.region]),
            np.concatenate([self.worth, other.worth]),
            {name: np.concatenate(parts) for name, parts in names.items()},
        )


def shortlist(region: IntArray, worth: FloatArray, columns: Mapping[str, Any]) -> Shortlist:
    """The ``PER_REGION`` candidates of most worth in each region."""
    order = np.lexsort((columns["position"], columns["tile_index"], -worth, region))
    place = _place_in_region(region[order])
    order = order[(place < PER_REGION) & (worth[order] > 0)]
    return Shortlist(
        region=region[order],
        worth=worth[order],
        columns={name: values[order] for name, values in columns.items()},
    )


def rank(best: Shortlist, count: IntArray) -> Mapping[str, Any]:
    """Columns of the list, best first; ``count`` ``(n_regions,)`` are candidates of each region.

    The k-th of a region scores the k-th part of its gain: the ones before it teach the same.
    """
    density = count[best.region] / max(int(count.sum()), 1)
    place = _place_in_region(best.region)
    gain = expected_gain(
        deficit=best.columns["deficit"], density=density, risk=best.columns["risk"]
    )
    score = gain / best.columns["cost"] / (place + 1)
    order = np.lexsort((best.region, -score))[:MAX_TARGETS]
    listed = {
        **best.columns,
        "region": best.region,
        "place_in_region": place + 1,
        "density": density,
        "expected_gain": gain,
        "score": score,
    }
    ordered = {name: values[order] for name, values in listed.items()}
    return {"rank": np.arange(1, len(order) + 1), **ordered}


def _place_in_region(region: IntArray) -> IntArray:
    """How many galaxies of the same region come before, for a sorted ``region``."""
    _, first, inverse = np.unique(region, return_index=True, return_inverse=True)
    return np.arange(len(region)) - first[inverse]
