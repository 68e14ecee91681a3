"""ADAPTATION: the network, adapted to each tile on its anchors; many tiles side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hbmlc_models.pipeline import adapt_tiles
from hbmlc_store.jobs.units import complete_unit
from hbmlc_worker.tasks._inputs import (
    open_catalog,
    read_options,
    read_selection,
    read_survey,
    tiles_of,
    write_output,
)
from hbmlc_worker.work import Done, Work

__all__ = ["choose_device", "run"]


def run(work: Work) -> Iterator[Done]:
    """Adapt all tiles of all claimed units in one call."""
    options = read_options(work.job)
    survey = read_survey(work)
    with open_catalog(work) as catalog:
        units = [[catalog.read_tile(index) for index in tiles_of(claim)] for claim in work.claims]
    selections = [read_selection(work, claim.unit) for claim in work.claims]
    work.pulse.check()
    densities = adapt_tiles(
        units,
        [selection.anchors for selection in selections],
        survey,
        options,
        device=choose_device(work.context.settings.device),
    )
    for claim, density in zip(work.claims, densities, strict=True):
        output = write_output(work, claim, density.to_bytes())
        yield Done(
            claim=claim,
            commit=partial(complete_unit, claim=claim, output=output),
            keys=(output.key,),
        )


def choose_device(wanted: str) -> str:
    """Give the torch device to use: what was asked for, or the best that is there."""
    if wanted != "auto":
        return wanted
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
