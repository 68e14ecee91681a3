"""Uploads: what changes a catalogue's content, and the ingest that follows."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hbmlc.schemas import CatalogState, ColumnMapping, Phase
from hbmlc_store.catalogs import find_catalog, lock_unused_catalog, mapping_json, mark_deleted
from hbmlc_store.errors import ConflictError
from hbmlc_store.jobs.ending import abort_job
from hbmlc_store.jobs.ingests import start_ingest
from hbmlc_store.jobs.phases import lock_job
from hbmlc_store.keys import catalog_prefix
from hbmlc_store.objects import Stored
from hbmlc_store.purges import add_purge, add_purge_below
from hbmlc_store.schema import CatalogRow, JobRow

__all__ = ["check_wants_content", "delete_catalog", "ingest_fraction", "receive_content", "remap"]


def check_wants_content(tx: Session, account_id: UUID, catalog_id: UUID) -> CatalogRow:
    """Find a catalogue that may receive content.

    Raises
    ------
    NotFoundError
        The account has no such catalogue.
    ConflictError
        It has usable content already (``content-exists``).
    """
    row = find_catalog(tx, account_id, catalog_id)
    _check_state(row)
    return row


def receive_content(
    tx: Session,
    account_id: UUID,
    catalog_id: UUID,
    stored: Stored,
    *,
    key: str,
    request_id: str | None = None,
) -> CatalogRow:
    """Take over an upload that is stored under a key of its own, and queue its ingest.

    Raises
    ------
    NotFoundError
        The account has no such catalogue (any more).
    ConflictError
        Another upload came first (``content-exists``); the caller deletes this one's object.
    """
    row = lock_unused_catalog(tx, account_id, catalog_id)
    _check_state(row)
    if row.content_key is not None:
        add_purge(tx, row.content_key)
    row.content_key = key
    row.size_bytes = stored.size_bytes
    row.content_digest = stored.digest
    start_ingest(tx, row, request_id=request_id)
    tx.flush()
    tx.refresh(row)
    return row


def remap(
    tx: Session,
    account_id: UUID,
    catalog_id: UUID,
    mapping: ColumnMapping | None,
    *,
    request_id: str | None = None,
) -> CatalogRow:
    """Read the content again with another column mapping.

    Raises
    ------
    NotFoundError
        The account has no such catalogue.
    ConflictError
        It is being read or calibrated at this moment.
    """
    row = lock_unused_catalog(tx, account_id, catalog_id)
    if row.state == CatalogState.INGESTING:
        raise ConflictError(
            "catalog-not-ready", "The catalogue is being read; change the mapping afterwards."
        )
    row.mapping = mapping_json(mapping)
    if row.state != CatalogState.CREATED:
        start_ingest(tx, row, request_id=request_id)
    tx.flush()
    tx.refresh(row)
    return row


def delete_catalog(tx: Session, account_id: UUID, catalog_id: UUID) -> None:
    """Delete a catalogue and stop its ingest; its objects go soon after.

    Raises
    ------
    NotFoundError
        The account has no such catalogue.
    ConflictError
        A calibration of it is under way.
    """
    # The job is locked before the catalogue, as by the worker that completes the ingest.
    ingest_id = find_catalog(tx, account_id, catalog_id).ingest_job_id
    if ingest_id is not None:
        job = lock_job(tx, ingest_id)
        if not Phase(job.phase).is_final:
            abort_job(tx, job)
    mark_deleted(tx, lock_unused_catalog(tx, account_id, catalog_id))
    add_purge_below(tx, catalog_prefix(catalog_id))


def _check_state(row: CatalogRow) -> None:
    if row.state not in {CatalogState.CREATED, CatalogState.REJECTED}:
        raise ConflictError(
            "content-exists",
            "The catalogue has its content; POST /v1/catalogs makes another one.",
        )


def ingest_fraction(tx: Session, row: CatalogRow) -> float | None:
    """Fraction of a running ingest that is done; ``None`` where none runs."""
    from hbmlc_store.jobs.progress import progress_of

    if row.ingest_job_id is None or row.state != CatalogState.INGESTING:
        return None
    found = tx.scalar(select(JobRow.id).where(JobRow.id == row.ingest_job_id))
    return None if found is None else progress_of(tx, [found])[found].fraction
