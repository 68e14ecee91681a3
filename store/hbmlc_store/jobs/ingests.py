"""Ingests: the jobs that read an uploaded catalogue."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from hbmlc.schemas import CatalogState, Phase
from hbmlc_store.errors import LostClaimError
from hbmlc_store.ids import new_id
from hbmlc_store.jobs.stages import JobKind, create_stages
from hbmlc_store.jobs.units import Claim, Output, complete_unit
from hbmlc_store.purges import add_purge
from hbmlc_store.schema import CatalogRow, JobRow, JsonObject

__all__ = ["complete_ingest", "start_ingest"]


def start_ingest(tx: Session, catalog: CatalogRow, *, request_id: str | None = None) -> None:
    """Queue the reading of a catalogue whose content is there."""
    job = JobRow(
        id=new_id(),
        account_id=catalog.account_id,
        kind=JobKind.INGEST.value,
        catalog_id=catalog.id,
        catalog_digest=catalog.content_digest,
        phase=Phase.QUEUED.value,
        options={},
        seed=0,
        request_id=request_id,
    )
    tx.add(job)
    create_stages(tx, job.id, JobKind.INGEST)
    catalog.state = CatalogState.INGESTING.value
    catalog.ingest_job_id = job.id
    catalog.problem = None
    catalog.report = None
    catalog.digest = None


def complete_ingest(tx: Session, claim: Claim, *, canonical: Output, report: JsonObject) -> None:
    """Make the catalogue READY with what was found in it; its canonical file replaces a former one.

    Raises
    ------
    LostClaimError
        The claim is lost, or the catalogue has been deleted or uploaded anew meanwhile.
    """
    complete_unit(tx, claim, output=canonical)
    job_catalog = select(JobRow.catalog_id).where(JobRow.id == claim.job_id).scalar_subquery()
    row = tx.scalars(
        select(CatalogRow)
        .where(CatalogRow.id == job_catalog, CatalogRow.ingest_job_id == claim.job_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise LostClaimError("lost-claim", "The catalogue no longer waits for this ingest.")
    if row.canonical_key is not None:
        add_purge(tx, row.canonical_key)
    row.canonical_key = canonical.key
    row.digest = canonical.digest
    row.state = CatalogState.READY.value
    row.report = report
    row.problem = None
    tx.flush()
