"""SURVEY: fits what all tiles share, and plans the units of the stages that follow."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from hbmlc_models.pipeline import fit_survey, plan_units
from hbmlc_store.jobs.units import complete_unit
from hbmlc_worker.tasks._inputs import load_model, open_catalog, read_options, write_output
from hbmlc_worker.work import Done, Work

__all__ = ["run"]

# Enough for the shared hyper-parameters; more would cost time and memory, not accuracy.
MAX_LABELLED = 20_000
MAX_UNLABELLED = 40_000


def run(work: Work) -> Iterator[Done]:
    """Fit the survey on a bounded sample of the whole catalogue."""
    (claim,) = work.claims
    options = read_options(work.job)
    model = load_model(work)
    with open_catalog(work) as catalog:
        sample = catalog.sample(
            MAX_LABELLED, MAX_UNLABELLED, np.random.default_rng([work.job.seed, 0])
        )
        units = plan_units(catalog.tiles, options)
    fit = fit_survey(
        sample,
        model,
        options,
        seed=work.job.seed,
        largest_label=sample.largest_label,
        on_progress=partial(work.pulse.report, claim),
    )
    output = write_output(work, claim, fit.to_bytes())
    plan = [{"tiles": list(tiles)} for tiles in units]
    yield Done(
        claim=claim,
        commit=partial(complete_unit, claim=claim, plan=plan, output=output),
        keys=(output.key,),
    )
