"""Trainings: the jobs that make an account's own versions of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hbmlc.schemas import Phase, TrainingRequest
from hbmlc_store.aliases import DEFAULT_ALIAS, production_of, set_alias
from hbmlc_store.catalogs import check_ready, find_catalog
from hbmlc_store.errors import ConflictError, InvalidError
from hbmlc_store.ids import new_id
from hbmlc_store.jobs.stages import JobKind, create_stages
from hbmlc_store.jobs.units import Claim, complete_unit
from hbmlc_store.registry import NewVersion, choose, list_versions, register
from hbmlc_store.schema import (
    AccountRow,
    CatalogRow,
    JobRow,
    JsonObject,
    ModelVersionRow,
    TrainingCatalogRow,
    TrainingRow,
)

__all__ = ["Trained", "TrainingRecord", "complete_training", "create_training", "records_of"]

AUTO = "auto"
"""No model can be called as the word that asks to choose one."""
MIN_BANDS = 3
"""A population of fewer bands says next to nothing about redshift."""
MIN_LABELLED = 200
"""Fewer labelled galaxies cannot both teach a version and judge it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """A training's job with what it has beyond one."""

    job: JobRow
    training: TrainingRow
    catalogs: Sequence[TrainingCatalogRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A version whose weights are in the object store, and how it fared."""

    digest: str
    bands: tuple[str, ...]
    card: JsonObject
    metrics: JsonObject
    """Figures of merit on held-out labels."""
    verdict: JsonObject
    """What the gate says, as ``GateVerdict``."""


def create_training(
    tx: Session, account_id: UUID, request: TrainingRequest, *, request_id: str | None = None
) -> JobRow:
    """Queue a training that pins its catalogues, the version to beat and its own number.

    Raises
    ------
    NotFoundError
        The account lacks one of the catalogues.
    ConflictError
        A catalogue is still being read (``catalog-not-ready``), the name is that of a shipped model
        (``model-name-reserved``) or its versions have other bands (``model-bands-differ``).
    InvalidError
        A catalogue was rejected, or the catalogues have different bands
        (``catalogs-differ``), too few of them (``too-few-bands``) or too few labels
        (``too-few-labels``).
    """
    # In the order of their ids, so that two requests never wait for each other.
    found = {
        catalog_id: find_catalog(tx, account_id, catalog_id, lock="share")
        for catalog_id in sorted(request.catalog_ids)
    }
    catalogs = [found[catalog_id] for catalog_id in request.catalog_ids]
    bands = _common_bands(catalogs)
    current = _current(tx, account_id, request.name, bands)
    job = JobRow(
        id=new_id(),
        account_id=account_id,
        kind=JobKind.TRAINING.value,
        catalog_id=catalogs[0].id,
        catalog_digest=catalogs[0].digest,
        phase=Phase.QUEUED.value,
        model_name=current.name,
        model_version=current.version,
        model_digest=current.digest,
        options=request.options.model_dump(exclude_none=True),
        seed=request.seed,
        label=request.label,
        request_id=request_id,
    )
    tx.add(job)
    create_stages(tx, job.id, JobKind.TRAINING)
    tx.add(
        TrainingRow(
            job_id=job.id,
            account_id=account_id,
            name=request.name,
            version=_next_number(tx, account_id, request.name),
            promote=request.promote,
        )
    )
    tx.add_all(
        TrainingCatalogRow(job_id=job.id, position=k, catalog_id=row.id, digest=row.digest)
        for k, row in enumerate(catalogs)
    )
    tx.flush()
    tx.refresh(job)
    return job


def records_of(tx: Session, jobs: Sequence[JobRow]) -> list[TrainingRecord]:
    """Complete the jobs of trainings by what they have beyond jobs, in the same order."""
    ids = [job.id for job in jobs]
    rows = tx.scalars(select(TrainingRow).where(TrainingRow.job_id.in_(ids)))
    trainings = {row.job_id: row for row in rows}
    catalogs: dict[UUID, list[TrainingCatalogRow]] = {job_id: [] for job_id in ids}
    for row in tx.scalars(
        select(TrainingCatalogRow)
        .where(TrainingCatalogRow.job_id.in_(ids))
        .order_by(TrainingCatalogRow.position)
    ):
        catalogs[row.job_id].append(row)
    return [
        TrainingRecord(job=job, training=trainings[job.id], catalogs=catalogs[job.id])
        for job in jobs
    ]


def complete_training(tx: Session, claim: Claim, *, trained: Trained) -> None:
    """Register the version of a training, and promote it where it may and has earned it.

    Raises
    ------
    LostClaimError
        The claim is lost; the weights stay unregistered.
    """
    complete_unit(tx, claim)
    job = tx.get_one(JobRow, claim.job_id)
    row = tx.get_one(TrainingRow, claim.job_id)
    _lock_account(tx, job.account_id)
    register(
        tx,
        NewVersion(
            name=row.name,
            version=row.version,
            digest=trained.digest,
            bands=trained.bands,
            card=trained.card,
            account_id=job.account_id,
            training_id=job.id,
        ),
    )
    is_promoted, why = _promote(tx, job, row, trained.verdict)
    row.result = {
        "reference": f"{row.name}:{row.version}",
        "digest": trained.digest,
        "bands": list(trained.bands),
        "metrics": trained.metrics,
        "gate": trained.verdict,
        "is_promoted": is_promoted,
        "promotion": why,
    }
    tx.flush()


def _promote(tx: Session, job: JobRow, row: TrainingRow, verdict: JsonObject) -> tuple[bool, str]:
    """Point ``production`` at the new version, or not; and why."""
    if row.promote == "never":
        return False, "The request asked not to promote it."
    if not verdict["is_better"]:
        return False, f"The gate kept it back. {verdict['reason']}"
    present = production_of(tx, job.account_id, row.name)
    if present is not None and present.digest != job.model_digest:
        return False, (
            f"{present.name}:{present.version} became production meanwhile, and it was compared "
            f"with {job.model_name}:{job.model_version}; train again, or set the alias by hand."
        )
    set_alias(
        tx,
        job.account_id,
        row.name,
        DEFAULT_ALIAS,
        version=row.version,
        set_by=f"training {job.id}",
        verdict=verdict,
    )
    return True, f"It is production now. {verdict['reason']}"


def _common_bands(catalogs: Sequence[CatalogRow]) -> list[str]:
    """Bands of all catalogues, which must be the same; checks the number of labels, too."""
    for row in catalogs:
        check_ready(row)
    reports = [row.report or {} for row in catalogs]
    bands = list(reports[0].get("bands", []))
    for row, report in zip(catalogs, reports, strict=True):
        if set(report.get("bands", [])) != set(bands):
            raise InvalidError(
                "catalogs-differ",
                f"Catalogue {row.id} has the bands {', '.join(report.get('bands', []))}, the first "
                f"one {', '.join(bands)}; train on catalogues of the same bands.",
            )
    if len(bands) < MIN_BANDS:
        raise InvalidError(
            "too-few-bands",
            f"The catalogues have the bands {', '.join(bands)}; a version needs {MIN_BANDS} to say "
            "anything about redshift by itself.",
        )
    n_labelled = sum(int(report.get("n_labelled", 0)) for report in reports)
    if n_labelled < MIN_LABELLED:
        raise InvalidError(
            "too-few-labels",
            f"The catalogues have {n_labelled} galaxies with a spec-z; a training needs "
            f"{MIN_LABELLED}, a tenth of which only judges. Use a shipped model until there are.",
        )
    return bands


def _current(tx: Session, account_id: UUID, name: str, bands: Sequence[str]) -> ModelVersionRow:
    """Version to start from and to beat: production of that name, else what auto would take."""
    known = list_versions(tx, account_id, name=name)
    # A name that the account had before a release brought it, too, stays its own.
    if name == AUTO or (known and known[0].account_id is None):
        raise ConflictError(
            "model-name-reserved",
            f"{name} is a model that ships with this service; choose another name.",
        )
    if known and set(known[0].bands) != set(bands):
        raise ConflictError(
            "model-bands-differ",
            f"{name} has the bands {', '.join(known[0].bands)}, these catalogues have "
            f"{', '.join(bands)}; choose another name for them.",
        )
    current = production_of(tx, account_id, name) or choose(tx, account_id, bands)
    if current is None:
        raise InvalidError(
            "no-model-for-bands",
            f"No production model works with the bands {', '.join(bands)}; "
            "GET /v1/models lists what each model needs.",
        )
    return current


def _next_number(tx: Session, account_id: UUID, name: str) -> int:
    """Next number of an account's model, which no other training gets."""
    _lock_account(tx, account_id)
    latest = select(func.max(TrainingRow.version)).where(
        TrainingRow.account_id == account_id, TrainingRow.name == name
    )
    return (tx.scalar(latest) or 0) + 1


def _lock_account(tx: Session, account_id: UUID) -> None:
    """Make the account's other trainings wait: numbers and promotions come one after the other."""
    account = select(AccountRow.id).where(AccountRow.id == account_id)
    tx.execute(account.with_for_update(key_share=True))
