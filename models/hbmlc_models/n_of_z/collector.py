"""Gathers the evidence of all tiles, then estimates; memory never holds more than one tile's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import add

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.formats.spool import Spool
from hbmlc_models.n_of_z.bins import count_estimates, equal_count_edges
from hbmlc_models.n_of_z.cells import RedshiftCells
from hbmlc_models.n_of_z.covariance import (
    beta_shift,
    galaxy_blocks,
    galaxy_covariance,
    jackknife_covariance,
)
from hbmlc_models.n_of_z.estimate import correct
from hbmlc_models.n_of_z.evidence import TileEvidence
from hbmlc_models.n_of_z.result import NOfZ, TileNOfZ
from hbmlc_models.n_of_z.sums import Sums, sum_up

__all__ = ["NOfZCollector"]

MIN_PATCHES = 8
"""Fewer patches of sky measure no scatter between them."""
MAX_PATCHES = 64
"""Neighbouring tiles share a patch where there are more."""


class NOfZCollector:
    """Sees the evidence of each tile once; ``spool`` keeps it until the bins are known."""

    def __init__(self, spool: Spool, z_grid: FloatArray, *, beta_scale: float) -> None:
        self._spool = spool
        self._z_grid = z_grid
        self._beta_scale = beta_scale
        self._count = np.zeros(len(z_grid), dtype=np.int64)
        self._names: list[str] = []
        self._tilt_std: list[float] = []
        self.cells = RedshiftCells.cover(z_grid)
        """Cells that the evidence has to be gathered on."""

    def add(self, name: str, evidence: TileEvidence, *, tilt_std: float) -> None:
        """See one tile; ``tilt_std`` is how uncertain its own tilt of n(z) is [per unit z]."""
        unlabelled = evidence.z_phot[~evidence.is_labelled]
        self._count += count_estimates(unlabelled, self._z_grid)
        self._names.append(name)
        self._tilt_std.append(tilt_std)
        self._spool.append(evidence.arrays())

    def finish(self) -> NOfZ:
        """Estimate the distributions of all unlabelled galaxies, of tomographic bins, by tile."""
        edges = equal_count_edges(self._count, self._z_grid)
        n_patches = min(len(self._names), MAX_PATCHES)
        patches = [Sums.zeros(len(edges), self.cells.n_cells) for _ in range(n_patches)]
        tiles: list[TileNOfZ] = []
        tilt = 0.0
        for k, sums in enumerate(self._tile_sums(edges)):
            place = k * n_patches // len(self._names)
            patches[place] = patches[place] + sums
            tiles.append(self._tile(k, sums))
            tilt += self._tilt_std[k] * float(sums.count[0])
        return self._whole(reduce(add, patches), patches, tiles, edges=edges, tilt=tilt)

    def _tile_sums(self, edges: FloatArray) -> Iterator[Sums]:
        """Sums of each tile, the union of all bins in front."""
        for arrays in self._spool:
            evidence = TileEvidence.from_arrays(arrays)
            yield sum_up(evidence, edges, self.cells, beta_scale=self._beta_scale).with_all()

    def _tile(self, k: int, sums: Sums) -> TileNOfZ:
        """Distributions of the tile at place ``k``."""
        estimate = correct(sums, self.cells)
        shift = beta_shift(estimate)
        # The tile's own tilt acts on n(z) as β does.
        own = np.hypot(1.0, self._tilt_std[k] / self._beta_scale) * shift
        blocks = galaxy_blocks(sums, estimate, self.cells)
        z = self.cells.centres
        variance = np.einsum("skk->sk", blocks)
        low, middle, high = estimate.mean_z(self.cells)[0].tolist()
        mean_variance = float(z @ blocks[0] @ z) + float(own[0] @ z) ** 2
        return TileNOfZ(
            name=self._names[k],
            n_galaxies=sums.count,
            density=(estimate.n_of_z[:, 1] / self.cells.width).astype(np.float32),
            std=(np.sqrt(np.maximum(variance, 0) + own**2) / self.cells.width).astype(np.float32),
            mean_z=(low, middle, high),
            mean_z_std=mean_variance**0.5 if sums.count[0] > 0 else np.nan,
        )

    def _whole(
        self,
        sums: Sums,
        patches: list[Sums],
        tiles: list[TileNOfZ],
        *,
        edges: FloatArray,
        tilt: float,
    ) -> NOfZ:
        """Distributions of the whole catalogue; ``tilt`` sums the tiles' own uncertainty."""
        estimate = correct(sums, self.cells)
        shift = beta_shift(estimate)
        if len(patches) >= MIN_PATCHES:
            sampling = jackknife_covariance(patches, self.cells, shrinkage=estimate.shrinkage)
        else:
            sampling = galaxy_covariance(sums, estimate, self.cells)
            own = tilt / max(float(sums.count[0]), 1) / self._beta_scale * shift
            sampling += np.multiply.outer(own, own)
        return NOfZ(
            cells=self.cells,
            z_phot_edges=edges,
            sums=sums,
            estimate=estimate,
            sampling=sampling / self.cells.width**2,
            beta_shift=shift / self.cells.width,
            n_patches=len(patches) if len(patches) >= MIN_PATCHES else 0,
            tiles=tiles,
        )
