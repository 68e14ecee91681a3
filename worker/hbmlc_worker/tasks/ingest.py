"""INGEST: reads an upload and writes its canonical form."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hbmlc_models.formats import ColumnMapping, IngestLimits, ingest
from hbmlc_store.jobs.ingests import complete_ingest
from hbmlc_store.keys import canonical_key, content_key
from hbmlc_worker.work import Done, Work

__all__ = ["run"]


def run(work: Work) -> Iterator[Done]:
    """Read the content of the job's catalogue; a fault of the catalogue ends in its rejection."""
    (claim,) = work.claims
    context, job = work.context, work.job
    scratch = context.settings.scratch
    with (
        TemporaryDirectory(prefix="hbmlc-ingest-", dir=scratch) as folder,
        context.objects.as_file(content_key(job.catalog_id), scratch=scratch) as source,
    ):
        canonical = Path(folder) / "canonical.parquet"
        report = ingest(
            source,
            canonical,
            mapping=None if job.mapping is None else ColumnMapping.from_dict(job.mapping),
            limits=IngestLimits(
                max_rows=context.settings.max_rows, max_columns=context.settings.max_columns
            ),
            on_progress=partial(work.pulse.report, claim),
        )
        stored = context.objects.put_file(canonical_key(job.catalog_id), canonical)
    yield Done(
        claim=claim,
        commit=partial(complete_ingest, claim=claim, digest=stored.digest, report=report.as_dict()),
    )
