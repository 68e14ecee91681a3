"""Training tasks made of simulated tiles: one world, depth and spectroscopic selection each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.anchors import Anchors, stratified_anchors
from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.metalearning.features import CONTEXT_CHANNELS, network_inputs
from hbmlc_models.metalearning.tasks import CONTEXT_DROPPED, Task, draw_support_size
from hbmlc_models.photometry import concatenate_photometry
from hbmlc_models.selection.context import ContextScale, fit_context
from hbmlc_models.selection.frame import LuptitudeFrame, make_frame
from hbmlc_models.simulate.simulator import SimulatedCatalog

__all__ = ["SimulatedTasks", "TileInputs", "prepare_tiles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileInputs:
    """One simulated tile as the network sees it."""

    inputs: FloatArray
    """``(n_galaxies, n_channels, n_bands)`` float32."""
    z_true: FloatArray
    """``(n_galaxies,)``."""
    labelled: IntArray
    """Positions of the galaxies that were selected."""
    propensity: FloatArray
    """Probability of having been selected, ``(n_galaxies,)``."""

    def anchors(self, n_anchors: int, rng: np.random.Generator) -> Anchors:
        """Anchors as a survey's tile would get them."""
        return stratified_anchors(
            self.labelled, self.propensity[self.labelled], n_anchors=n_anchors, rng=rng
        )


def prepare_tiles(
    catalogs: list[SimulatedCatalog], *, frame: LuptitudeFrame | None = None
) -> tuple[LuptitudeFrame, list[TileInputs]]:
    """Frame of all tiles together (or the given one), and each tile's inputs in it."""
    frame = frame or make_frame(
        concatenate_photometry([catalog.tile.photometry for catalog in catalogs])
    )
    names = catalogs[0].tile.extras
    joined = {n: np.concatenate([c.tile.extras[n] for c in catalogs]) for n in names}
    scale: ContextScale = fit_context(joined, frame.bands)
    tiles = [
        TileInputs(
            inputs=network_inputs(
                catalog.tile.photometry,
                frame,
                scale.scores(catalog.tile.extras, catalog.tile.n_galaxies),
            ),
            z_true=catalog.z_true,
            labelled=np.flatnonzero(catalog.tile.selected),
            propensity=catalog.p_select,
        )
        for catalog in catalogs
    ]
    return frame, tiles


class SimulatedTasks:
    """Source of tasks: anchors chosen as at deployment, query galaxies of all kinds."""

    def __init__(self, tiles: list[TileInputs]) -> None:
        self._tiles = tiles
        self._inputs = np.concatenate([tile.inputs for tile in tiles])
        self._z_true = np.concatenate([tile.z_true for tile in tiles])

    def pooled(self, n_galaxies: int, rng: np.random.Generator) -> Task:
        """Galaxies of all tiles mixed."""
        chosen = rng.integers(0, len(self._z_true), n_galaxies)
        return _task(self._inputs[chosen], self._z_true[chosen], np.ones(n_galaxies), rng)

    def tasks(
        self, n_tasks: int, n_support: int, n_query: int, rng: np.random.Generator
    ) -> tuple[list[Task], list[Task]]:
        """Support and query sets of random tiles."""
        supports: list[Task] = []
        queries: list[Task] = []
        for place in rng.integers(0, len(self._tiles), n_tasks):
            tile = self._tiles[int(place)]
            anchors = tile.anchors(draw_support_size(n_support, rng), rng)
            index, others = anchors.index, rng.integers(0, len(tile.z_true), n_query)
            supports.append(_task(tile.inputs[index], tile.z_true[index], anchors.weight, rng))
            queries.append(_task(tile.inputs[others], tile.z_true[others], np.ones(n_query), rng))
        return supports, queries


def _task(
    inputs: FloatArray, z_true: FloatArray, weight: FloatArray, rng: np.random.Generator
) -> Task:
    """Task with the optional columns withheld from half of the galaxies."""
    withheld = rng.random(len(inputs)) < CONTEXT_DROPPED
    shown = inputs.copy()
    shown[withheld, CONTEXT_CHANNELS] = 0.0
    return Task(inputs=shown, z_spec=z_true, weight=weight)
