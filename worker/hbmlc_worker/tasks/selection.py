"""SELECTION: how the labelled galaxies of each tile of a unit were selected."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from hbmlc_models.pipeline import infer_selection
from hbmlc_store.jobs.units import complete_unit
from hbmlc_worker.tasks._inputs import (
    open_catalog,
    read_options,
    read_survey,
    tiles_of,
    write_output,
)
from hbmlc_worker.work import Done, Work

__all__ = ["run"]


def run(work: Work) -> Iterator[Done]:
    """Infer the selection in each tile."""
    options = read_options(work.job)
    survey = read_survey(work)
    with open_catalog(work) as catalog:
        for claim in work.claims:
            tiles = [catalog.read_tile(index) for index in tiles_of(claim)]
            selection = infer_selection(tiles, survey, options, seed=work.job.seed)
            output = write_output(work, claim, selection.to_bytes())
            yield Done(
                claim=claim,
                commit=partial(complete_unit, claim=claim, output=output),
                keys=(output.key,),
            )
