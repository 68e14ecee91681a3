"""Gathers the candidates of all tiles and lists the best; memory holds one tile and the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.formats.spool import Spool
from hbmlc_models.targets.candidates import SHOWN, Candidates
from hbmlc_models.targets.ranking import Shortlist, rank, shortlist
from hbmlc_models.targets.regions import fit_regions
from hbmlc_models.targets.score import observing_cost

__all__ = ["TargetCollector"]

N_SAMPLE = 16_384
"""Candidates that the regions are fitted to."""
REACH_QUANTILE = 0.9
"""The labels reach to this quantile of their magnitudes; beyond are the lucky few."""
_MAG_EDGES = np.linspace(5.0, 40.0, 701)
_STAGE = 71


class TargetCollector:
    """Sees the candidates of each tile once; ``spool`` keeps them until the regions are known."""

    def __init__(self, spool: Spool, *, n_features: int, seed: int) -> None:
        self._spool = spool
        self._seed = seed
        self._tiles: list[int] = []
        self._sample = np.empty((0, n_features), dtype=np.float32)
        self._key = np.empty(0)
        self._labelled = np.zeros(len(_MAG_EDGES) - 1)
        self._unlabelled = np.zeros(len(_MAG_EDGES) - 1)

    def add(self, tile_index: int, candidates: Candidates, *, labelled_mag: FloatArray) -> None:
        """See one tile; ``labelled_mag`` are the reference magnitudes of its labelled galaxies."""
        rng = np.random.default_rng([self._seed, _STAGE, tile_index])
        key = np.concatenate([self._key, rng.random(len(candidates.position))])
        # The smallest keys of all are a random sample, in whatever order tiles come.
        kept = np.argsort(key, kind="stable")[:N_SAMPLE]
        self._sample = np.concatenate([self._sample, candidates.features])[kept]
        self._key = key[kept]
        finite = labelled_mag[np.isfinite(labelled_mag)]
        self._labelled += np.histogram(finite, _MAG_EDGES)[0]
        self._unlabelled += np.histogram(candidates.mag, _MAG_EDGES)[0]
        self._tiles.append(tile_index)
        self._spool.append(candidates.arrays())

    def finish(self) -> Mapping[str, Any]:
        """Columns of the list, best first; ``tile_index`` and ``position`` say which galaxy."""
        regions = fit_regions(self._sample) if len(self._sample) else None
        best: Shortlist | None = None
        count = np.zeros(regions.n_regions if regions else 0, dtype=np.int64)
        for tile_index, arrays in zip(self._tiles, self._spool, strict=True):
            found = Candidates.from_arrays(arrays)
            region = regions.of(found.features) if regions else np.empty(0, dtype=np.int64)
            count += np.bincount(region, minlength=len(count))
            own = self._shortlist(tile_index, found, region)
            best = own if best is None else best.merged(own)
        return {} if best is None else rank(best, count)

    def _shortlist(self, tile_index: int, found: Candidates, region: IntArray) -> Shortlist:
        """The best candidates of one tile."""
        shown = dict(zip(SHOWN, found.shown.T, strict=True))
        deficit = 1 - shown["support"].astype(float)
        cost = observing_cost(found.mag.astype(float), reach=self._reach())
        columns = {
            "tile_index": np.full(len(region), tile_index),
            "position": found.position,
            "mag": found.mag,
            **shown,
            "deficit": deficit,
            "risk": found.risk,
            "cost": cost,
        }
        return shortlist(region, deficit * found.risk / cost, columns)

    def _reach(self) -> float:
        """Magnitude that the labels reach to; without labels, that of a typical candidate."""
        if self._labelled.sum() > 0:
            return _quantile(self._labelled, REACH_QUANTILE)
        return _quantile(self._unlabelled, 0.5)


def _quantile(count: FloatArray, level: float) -> float:
    """Quantile of the magnitudes counted in ``_MAG_EDGES``."""
    return float(_MAG_EDGES[1 + np.searchsorted(np.cumsum(count), level * count.sum())])
