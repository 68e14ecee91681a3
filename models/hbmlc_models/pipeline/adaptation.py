"""ADAPTATION: the network, adapted to many units at once on their anchors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from hbmlc_models.anchors import Anchors
from hbmlc_models.arrays import FloatArray
from hbmlc_models.formats import arrays
from hbmlc_models.metalearning.features import network_inputs
from hbmlc_models.metalearning.infer import adapted_outputs
from hbmlc_models.metalearning.network import Head
from hbmlc_models.metalearning.tasks import Task
from hbmlc_models.pipeline.options import MAX_ANCHORS, CalibrationOptions
from hbmlc_models.pipeline.survey_fit import SurveyFit
from hbmlc_models.tile import Tile, merge_tiles

__all__ = ["TileDensity", "adapt_tiles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileDensity:
    """Raw outputs of the adapted network for the galaxies of a unit."""

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
    units: Sequence[Sequence[Tile]],
    anchors: Sequence[Anchors],
    survey: SurveyFit,
    options: CalibrationOptions,
    *,
    device: str = "cpu",
) -> list[TileDensity]:
    """Adapt the survey's network to each unit and run it over all galaxies of the unit's tiles.

    All units take their gradient steps side by side; one without anchors keeps the start.
    """
    if not units:
        return []
    head = survey.network.architecture.head
    inputs = [_inputs(merge_tiles(tiles), survey) for tiles in units]
    support = [
        Task(
            inputs=columns[chosen.index],
            z_spec=merge_tiles(tiles).z_spec[chosen.index],
            weight=chosen.weight,
        )
        for tiles, chosen, columns in zip(units, anchors, inputs, strict=True)
    ]
    outputs = adapted_outputs(
        survey.network,
        inputs,
        support,
        n_support=MAX_ANCHORS,
        n_steps=options.inner_steps,
        device=device,
    )
    return [TileDensity(outputs=np.ascontiguousarray(found), head=head) for found in outputs]


def _inputs(tile: Tile, survey: SurveyFit) -> FloatArray:
    """What the network sees of a tile."""
    context = survey.basis.context.scores(tile.extras, tile.n_galaxies)
    return network_inputs(tile.photometry, survey.frame, context)
