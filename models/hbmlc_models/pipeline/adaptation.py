"""ADAPTATION: the network, adapted to many tiles at once on their anchors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from hbmlc_models.anchors import Anchors
from hbmlc_models.arrays import FloatArray
from hbmlc_models.formats import arrays
from hbmlc_models.metalearning.features import network_inputs
from hbmlc_models.metalearning.infer import run_network
from hbmlc_models.metalearning.maml import adapt_tiles_weights
from hbmlc_models.metalearning.network import Head
from hbmlc_models.metalearning.train import Task, to_labelled_set
from hbmlc_models.pipeline.options import MAX_ANCHORS, CalibrationOptions
from hbmlc_models.pipeline.survey_fit import SurveyFit
from hbmlc_models.tile import Tile

__all__ = ["TileDensity", "adapt_tiles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileDensity:
    """Raw outputs of the adapted network for a tile."""

    outputs: FloatArray
    """``(n_galaxies, n_outputs)`` float32."""
    head: Head
    """What they mean."""

    def to_bytes(self) -> bytes:
        """Bytes of the outputs."""
        return arrays.dump({"outputs": self.outputs}, {"head": self.head.value})

    @classmethod
    def from_bytes(cls, content: bytes) -> TileDensity:
        """Outputs from their bytes."""
        tensors, metadata = arrays.load(content)
        outputs = cast("FloatArray", tensors["outputs"])
        return cls(outputs=outputs, head=Head(str(metadata["head"])))


def adapt_tiles(
    tiles: Sequence[Tile],
    anchors: Sequence[Anchors],
    survey: SurveyFit,
    options: CalibrationOptions,
    *,
    device: str = "cpu",
) -> list[TileDensity]:
    """Adapt the survey's network to each tile and run it over all its galaxies.

    All tiles take their gradient steps side by side; a tile without anchors keeps the start.
    """
    if not tiles:
        return []
    network = survey.network
    head = network.architecture.head
    inputs = [
        network_inputs(
            tile.photometry,
            survey.frame,
            survey.basis.context.scores(tile.extras, tile.n_galaxies),
        )
        for tile in tiles
    ]
    support = [
        Task(
            inputs=columns[chosen.index],
            z_spec=tile.z_spec[chosen.index],
            weight=chosen.weight,
        )
        for tile, chosen, columns in zip(tiles, anchors, inputs, strict=True)
    ]
    adapted = adapt_tiles_weights(
        {name: tensor.to(device) for name, tensor in network.weights.items()},
        {name: tensor.to(device) for name, tensor in network.rates.items()},
        to_labelled_set(support, MAX_ANCHORS, device=device),
        n_steps=options.inner_steps,
        head=head,
    )
    densities: list[TileDensity] = []
    for position, columns in enumerate(inputs):
        own = {name: tensor[position] for name, tensor in adapted.items()}
        outputs = run_network(own, columns, device=device)
        densities.append(TileDensity(outputs=np.ascontiguousarray(outputs), head=head))
    return densities
