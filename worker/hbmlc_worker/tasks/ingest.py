"""INGEST: reads an upload in a child process and stores its canonical form."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hbmlc_store.jobs.ingests import complete_ingest
from hbmlc_store.jobs.units import Output
from hbmlc_store.keys import canonical_key
from hbmlc_store.settings import Settings
from hbmlc_worker.ingest_child.walls import ChildLimits
from hbmlc_worker.ingest_process import IngestRequest, run_ingest
from hbmlc_worker.problems import WorkerError
from hbmlc_worker.scratch import scratch_folder, sweep
from hbmlc_worker.work import Done, JobPin, Work

__all__ = ["run"]

_LEAST_MEMORY = 2**30
"""What any upload may take [bytes]; libraries and one batch of rows take 300 MB."""
_MEMORY_FACTOR = 64
"""Bytes of memory for a byte of the upload."""
_LEAST_SECONDS = 120.0
"""What any upload may take; one of 100 MB takes ten."""
_BYTES_A_SECOND = 256 * 2**10
"""Slowest reading that is still waited for; text tables pass at 10 MB/s."""
_WALL_FACTOR = 3.0
"""Wall seconds for a second of computing: the machine has other work, too."""


def run(work: Work) -> Iterator[Done]:
    """Read the content of the job's catalogue; a fault of the catalogue ends in its rejection."""
    (claim,) = work.claims
    context, job = work.context, work.job
    sweep(context.settings.scratch)
    with (
        scratch_folder(context.settings.scratch) as folder,
        context.objects.as_file(
            _content_key(job), scratch=folder, digest=job.catalog_digest
        ) as source,
    ):
        request = _request(source, folder, job.mapping, context.settings)
        report = run_ingest(request, on_progress=partial(work.pulse.report, claim))
        _check_plain(request.target)
        key = canonical_key(job.catalog_id, job.id, claim.attempt)
        stored = context.objects.put_file(key, request.target)
    canonical = Output(key=key, digest=stored.digest)
    yield Done(
        claim=claim,
        commit=partial(complete_ingest, claim=claim, canonical=canonical, report=dict(report)),
        keys=(key,),
    )


def _content_key(job: JobPin) -> str:
    if job.content_key is None:
        raise WorkerError(
            "catalog-missing", f"The content of catalogue {job.catalog_id} is no longer stored."
        )
    return job.content_key


def _request(
    source: Path, folder: Path, mapping: dict[str, object] | None, settings: Settings
) -> IngestRequest:
    """Make the request for a child whose own scratch is a folder below ``folder``."""
    work = folder / "work"
    work.mkdir(mode=0o700)
    size = source.stat().st_size
    seconds = min(settings.ingest_seconds, _LEAST_SECONDS + size / _BYTES_A_SECOND)
    memory = min(settings.ingest_memory_bytes, _LEAST_MEMORY + _MEMORY_FACTOR * size)
    return IngestRequest(
        source=source,
        target=work / "canonical.parquet",
        mapping=mapping,
        bounds={"max_rows": settings.max_rows, "max_columns": settings.max_columns},
        limits=ChildLimits(
            memory_bytes=memory,
            cpu_seconds=max(1, int(seconds)),
            file_bytes=settings.ingest_file_bytes,
        ),
        wall_seconds=_WALL_FACTOR * seconds,
    )


def _check_plain(target: Path) -> None:
    """Raise unless the child left a file of its own: a link would lead us to one of ours."""
    found = target.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise RuntimeError("The ingest's process left something else than a file.")
