"""Catalogues, as their owners see them."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from hbmlc.schemas import CatalogState, ColumnMapping
from hbmlc_store.errors import ConflictError, InvalidError, NotFoundError
from hbmlc_store.ids import new_id
from hbmlc_store.jobs.phases import ACTIVE
from hbmlc_store.jobs.stages import JobKind
from hbmlc_store.schema import CatalogRow, JobRow, JsonObject, TrainingCatalogRow

__all__ = [
    "add_catalog",
    "check_ready",
    "find_catalog",
    "list_catalogs",
    "lock_unused_catalog",
    "mapping_json",
    "mark_deleted",
]


def add_catalog(
    tx: Session,
    account_id: UUID,
    *,
    name: str,
    mapping: ColumnMapping | None,
    catalog_id: UUID | None = None,
) -> CatalogRow:
    """Add a catalogue whose content is yet to come."""
    row = CatalogRow(
        id=catalog_id or new_id(),
        account_id=account_id,
        name=name,
        state=CatalogState.CREATED.value,
        mapping=mapping_json(mapping),
    )
    tx.add(row)
    tx.flush()
    tx.refresh(row)
    return row


def find_catalog(
    tx: Session,
    account_id: UUID,
    catalog_id: UUID,
    *,
    lock: Literal["share", "update"] | None = None,
) -> CatalogRow:
    """Find an account's catalogue, locked against change on request.

    Raises
    ------
    NotFoundError
        There is none, or it belongs to another account, or it was deleted.
    """
    query = select(CatalogRow).where(
        CatalogRow.id == catalog_id,
        CatalogRow.account_id == account_id,
        CatalogRow.deleted_at.is_(None),
    )
    if lock is not None:
        query = query.with_for_update(read=lock == "share")
    # A row that was read before it was locked is read again: others may have changed it meanwhile.
    row = tx.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFoundError(
            "no-such-catalog", "There is no such catalogue; GET /v1/catalogs lists yours."
        )
    return row


def list_catalogs(
    tx: Session, account_id: UUID, *, limit: int, before: UUID | None = None
) -> list[CatalogRow]:
    """List an account's catalogues, newest first, from before an id on."""
    query = select(CatalogRow).where(
        CatalogRow.account_id == account_id, CatalogRow.deleted_at.is_(None)
    )
    if before is not None:
        query = query.where(CatalogRow.id < before)
    return list(tx.scalars(query.order_by(CatalogRow.id.desc()).limit(limit)))


def lock_unused_catalog(tx: Session, account_id: UUID, catalog_id: UUID) -> CatalogRow:
    """Lock a catalogue that no job is reading, so that its content may change.

    Raises
    ------
    NotFoundError
        The account has no such catalogue.
    ConflictError
        A calibration of it, or a training on it, is under way (``catalog-in-use``).
    """
    row = find_catalog(tx, account_id, catalog_id, lock="update")
    trainings = select(TrainingCatalogRow.job_id).where(TrainingCatalogRow.catalog_id == catalog_id)
    is_read = exists().where(
        or_(JobRow.catalog_id == catalog_id, JobRow.id.in_(trainings)),
        JobRow.kind != JobKind.INGEST,
        JobRow.phase.in_(ACTIVE),
    )
    if tx.scalar(select(is_read)):
        raise ConflictError(
            "catalog-in-use",
            "A calibration or training with this catalogue is under way; wait for its end or "
            "abort it.",
        )
    return row


def check_ready(catalog: CatalogRow) -> None:
    """Refuse a catalogue that cannot be worked on.

    Raises
    ------
    ConflictError
        It is still being read, or has no content (``catalog-not-ready``).
    InvalidError
        It was rejected; the code is that of its problem.
    """
    match CatalogState(catalog.state):
        case CatalogState.READY:
            return
        case CatalogState.REJECTED:
            problem = catalog.problem or {}
            raise InvalidError(
                str(problem.get("code", "catalog-rejected")),
                f"The catalogue was rejected: {problem.get('detail', 'it could not be read')}",
            )
        case CatalogState.CREATED:
            raise ConflictError(
                "catalog-not-ready",
                f"The catalogue has no content yet; PUT it to /v1/catalogs/{catalog.id}/content.",
            )
        case CatalogState.INGESTING:
            raise ConflictError(
                "catalog-not-ready",
                f"The catalogue is still being read; GET /v1/catalogs/{catalog.id}?wait=30 waits.",
            )


def mark_deleted(tx: Session, row: CatalogRow) -> None:
    """Mark a locked catalogue as deleted."""
    row.deleted_at = func.now()
    row.ingest_job_id = None
    row.content_key = row.canonical_key = None
    tx.flush()


def mapping_json(mapping: ColumnMapping | None) -> JsonObject | None:
    """Give a mapping as it is stored."""
    return None if mapping is None else mapping.model_dump(mode="json")
