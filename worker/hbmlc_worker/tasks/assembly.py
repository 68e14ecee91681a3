"""ASSEMBLY: fuses the parts of each tile and writes the result files."""
from collections.abc import Iterator
from functools import partial
from hbmlc_store.jobs.units import complete_unit
from hbmlc_worker.work import Done, Work
def run(work: Work) -> Iterator[Done]:
    (claim,) = work.claims
    yield Done(claim=claim, commit=partial(complete_unit, claim=claim))
