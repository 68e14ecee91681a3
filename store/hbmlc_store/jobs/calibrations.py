"""Calibrations, as their owners see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hbmlc.schemas import CalibrationRequest, Phase
from hbmlc_store.catalogs import check_ready, find_catalog
from hbmlc_store.errors import InvalidError, NotFoundError
from hbmlc_store.ids import new_id
from hbmlc_store.jobs.owned import abort_owned, delete_owned, find_job, list_jobs
from hbmlc_store.jobs.stages import JobKind, create_stages
from hbmlc_store.jobs.units import Claim, complete_unit
from hbmlc_store.registry import choose, resolve
from hbmlc_store.schema import JobRow, JsonObject, ResultRow

__all__ = [
    "NewResult",
    "abort_calibration",
    "complete_calibration",
    "create_calibration",
    "delete_calibration",
    "find_calibration",
    "find_result",
    "list_calibrations",
    "list_results",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResult:
    """A result file that was written."""

    name: str
    size_bytes: int
    digest: str
    media_type: str
    object_key: str
    """Object that no other attempt writes."""


def create_calibration(
    tx: Session, account_id: UUID, request: CalibrationRequest, *, request_id: str | None = None
) -> JobRow:
    """Queue a calibration that pins the catalogue's and the model version's digest.

    Raises
    ------
    NotFoundError
        The account has no such catalogue, or no such model is registered.
    ConflictError
        The catalogue is still being read (``catalog-not-ready``).
    InvalidError
        The catalogue was rejected (its own code), or no model fits (``no-model-for-bands``).
    """
    # Shared: many calibrations of one catalogue may start together, but no re-ingest or deletion.
    catalog = find_catalog(tx, account_id, request.catalog_id, lock="share")
    check_ready(catalog)
    bands = list((catalog.report or {}).get("bands", []))
    reference = request.model or "auto"
    is_auto = reference == "auto"
    model = choose(tx, account_id, bands) if is_auto else resolve(tx, account_id, reference)
    if model is None:
        raise InvalidError(
            "no-model-for-bands",
            f"No production model works with the bands {', '.join(bands)}; "
            "GET /v1/models lists what each model needs.",
        )
    # What is chosen for a catalogue may have bands more: its population serves without them.
    missing = sorted(set(model.bands) - set(bands))
    if missing and not is_auto:
        raise InvalidError(
            "bands-missing",
            f"{model.name}:{model.version} needs the bands {', '.join(missing)}, which the "
            "catalogue lacks; ask for model 'auto' to get one that fits.",
        )
    job = JobRow(
        id=new_id(),
        account_id=account_id,
        kind=JobKind.CALIBRATION.value,
        catalog_id=catalog.id,
        catalog_digest=catalog.digest,
        phase=Phase.QUEUED.value,
        model_name=model.name,
        model_version=model.version,
        model_digest=model.digest,
        options=request.options.model_dump(exclude_none=True),
        seed=request.seed,
        label=request.label,
        request_id=request_id,
    )
    tx.add(job)
    create_stages(tx, job.id, JobKind.CALIBRATION)
    tx.refresh(job)
    return job


def find_calibration(tx: Session, account_id: UUID, job_id: UUID) -> JobRow:
    """Find an account's calibration; raises ``NotFoundError`` as ``find_job``."""
    return find_job(tx, account_id, job_id, kind=JobKind.CALIBRATION)


def list_calibrations(
    tx: Session,
    account_id: UUID,
    *,
    limit: int,
    before: UUID | None = None,
    catalog_id: UUID | None = None,
) -> list[JobRow]:
    """List an account's calibrations, newest first, from before an id on."""
    return list_jobs(
        tx,
        account_id,
        kind=JobKind.CALIBRATION,
        limit=limit,
        before=before,
        catalog_id=catalog_id,
    )


def abort_calibration(tx: Session, account_id: UUID, job_id: UUID) -> None:
    """Abort a calibration; one that already was aborted stays so."""
    abort_owned(tx, account_id, job_id, kind=JobKind.CALIBRATION)


def delete_calibration(tx: Session, account_id: UUID, job_id: UUID) -> None:
    """Delete a calibration; only its metering record stays, and its objects go soon after."""
    delete_owned(tx, account_id, job_id, kind=JobKind.CALIBRATION)


def complete_calibration(
    tx: Session, claim: Claim, *, results: Sequence[NewResult], diagnostics: JsonObject
) -> None:
    """Complete a calibration whose result files are written.

    Raises
    ------
    LostClaimError
        The claim is lost; the files stay unlisted.
    """
    complete_unit(tx, claim)
    tx.execute(update(JobRow).where(JobRow.id == claim.job_id).values(diagnostics=diagnostics))
    tx.execute(delete(ResultRow).where(ResultRow.job_id == claim.job_id))
    for new in results:
        tx.add(
            ResultRow(
                job_id=claim.job_id,
                name=new.name,
                size_bytes=new.size_bytes,
                digest=new.digest,
                media_type=new.media_type,
                object_key=new.object_key,
            )
        )


def list_results(tx: Session, job_id: UUID) -> list[ResultRow]:
    """List a job's result files by name; none before it is COMPLETED."""
    query = (
        select(ResultRow)
        .join(JobRow, JobRow.id == ResultRow.job_id)
        .where(ResultRow.job_id == job_id, JobRow.phase == Phase.COMPLETED)
    )
    return list(tx.scalars(query.order_by(ResultRow.name)))


def find_result(tx: Session, job_id: UUID, name: str) -> ResultRow:
    """Find one result file.

    Raises
    ------
    NotFoundError
        The job has no such file (yet).
    """
    row = tx.scalars(
        select(ResultRow)
        .join(JobRow, JobRow.id == ResultRow.job_id)
        .where(ResultRow.job_id == job_id, ResultRow.name == name, JobRow.phase == Phase.COMPLETED)
    ).one_or_none()
    if row is not None:
        return row
    raise NotFoundError(
        "no-such-result",
        f"The calibration has no result {name}; results appear once its phase is COMPLETED.",
    )
