"""Training tasks made of simulated tiles: one world, depth and spectroscopic selection each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.metalearning.features import CONTEXT_START, network_inputs
from hbmlc_models.metalearning.train import CONTEXT_DROPPED, Task, draw_support_size
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
        )
        for catalog in catalogs
    ]
    return frame, tiles


class SimulatedTasks:
    """Source of tasks: support from a tile's labelled galaxies, query from all of them."""

    def __init__(self, tiles: list[TileInputs]) -> None:
        self._tiles = tiles
        self._inputs = np.concatenate([tile.inputs for tile in tiles])
        self._z_true = np.concatenate([tile.z_true for tile in tiles])

    def pooled(self, n_galaxies: int, rng: np.random.Generator) -> Task:
        """Galaxies of all tiles mixed."""
        chosen = rng.integers(0, len(self._z_true), n_galaxies)
        return _task(self._inputs[chosen], self._z_true[chosen], rng)

    def tasks(
        self, n_tasks: int, n_support: int, n_query: int, rng: np.random.Generator
    ) -> tuple[list[Task], list[Task]]:
        """Support and query sets of random tiles."""
        supports: list[Task] = []
        queries: list[Task] = []
        for place in rng.integers(0, len(self._tiles), n_tasks):
            tile = self._tiles[int(place)]
            k = draw_support_size(min(n_support, len(tile.labelled)), rng)
            anchors = rng.choice(tile.labelled, size=k, replace=False)
            others = rng.integers(0, len(tile.z_true), n_query)
            supports.append(_task(tile.inputs[anchors], tile.z_true[anchors], rng))
            queries.append(_task(tile.inputs[others], tile.z_true[others], rng))
        return supports, queries


def _task(inputs: FloatArray, z_true: FloatArray, rng: np.random.Generator) -> Task:
    """Task of weight one, with the optional columns withheld from half of the galaxies."""
    withheld = rng.random(len(inputs)) < CONTEXT_DROPPED
    shown = inputs.copy()
    shown[withheld, CONTEXT_START:, :] = 0.0
    return Task(inputs=shown, z_spec=z_true, weight=np.ones(len(z_true)))
