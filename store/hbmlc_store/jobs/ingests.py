"""Ingests: the jobs that read an uploaded catalogue."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from hbmlc.schemas import CatalogState, Phase
from hbmlc_store.errors import LostClaimError
from hbmlc_store.ids import new_id
from hbmlc_store.jobs.stages import JobKind, create_stages
from hbmlc_store.jobs.units import Claim, complete_unit
from hbmlc_store.schema import CatalogRow, JobRow, JsonObject

__all__ = ["complete_ingest", "start_ingest"]


def start_ingest(tx: Session, catalog: CatalogRow) -> None:
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
    )
    tx.add(job)
    create_stages(tx, job.id, JobKind.INGEST)
    catalog.state = CatalogState.INGESTING.value
    catalog.ingest_job_id = job.id
    catalog.problem = None
    catalog.report = None
    catalog.digest = None


def complete_ingest(tx: Session, claim: Claim, *, digest: str, report: JsonObject) -> None:
    """Make the catalogue READY with what was found in it.

    Raises
    ------
    LostClaimError
        The claim is lost, or the catalogue has been deleted or uploaded anew meanwhile.
    """
    complete_unit(tx, claim)
    job_catalog = select(JobRow.catalog_id).where(JobRow.id == claim.job_id).scalar_subquery()
    changed = tx.execute(
        update(CatalogRow)
        .where(CatalogRow.id == job_catalog, CatalogRow.ingest_job_id == claim.job_id)
        .values(
            state=CatalogState.READY.value,
            digest=digest,
            report=report,
            problem=None,
            updated_at=func.now(),
        )
        .returning(CatalogRow.id)
    ).one_or_none()
    if changed is None:
        raise LostClaimError("lost-claim", "The catalogue no longer waits for this ingest.")
