"""ADAPTATION: the network, adapted to each tile on its anchors; many tiles side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hbmlc_models.pipeline import adapt_tiles
from hbmlc_store.jobs.units import complete_unit
from hbmlc_store.keys import unit_key
from hbmlc_worker.packing import pack
from hbmlc_worker.tasks._inputs import (
    open_catalog,
    read_options,
    read_selections,
    read_survey,
    tiles_of,
)
from hbmlc_worker.work import Done, Work

__all__ = ["run"]


def run(work: Work) -> Iterator[Done]:
    """Adapt all tiles of all claimed units in one call."""
    options = read_options(work.job)
    survey = read_survey(work)
    with open_catalog(work) as catalog:
        tiles = [catalog.read_tile(index) for claim in work.claims for index in tiles_of(claim)]
    selections = [
        selection for claim in work.claims for selection in read_selections(work, claim.unit)
    ]
    work.pulse.check()
    densities = iter(
        adapt_tiles(
            tiles,
            [selection.anchors for selection in selections],
            survey,
            options,
            device=choose_device(work.context.settings.device),
        )
    )
    for claim in work.claims:
        parts = [next(densities).to_bytes() for _ in tiles_of(claim)]
        work.context.objects.put(unit_key(work.job.id, claim.stage, claim.unit), pack(parts))
        yield Done(claim=claim, commit=partial(complete_unit, claim=claim))


def choose_device(wanted: str) -> str:
    """Give the torch device to use: what was asked for, or the best that is there."""
    if wanted != "auto":
        return wanted
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
