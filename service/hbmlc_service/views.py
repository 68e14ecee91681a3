"""Rows as the documents that clients see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbmlc.schemas import (
    Account,
    ApiKey,
    AuditEvent,
    BandReport,
    Calibration,
    Catalog,
    CatalogState,
    ColumnMapping,
    Coverage,
    Finding,
    GateVerdict,
    LabelReport,
    ModelAlias,
    ModelPin,
    ModelVersion,
    Phase,
    Problem,
    ProblemDetail,
    Progress,
    ResultFile,
    Scope,
    Severity,
    TrainedVersion,
    Training,
    UsageRecord,
    column_of,
)
from hbmlc_store.aliases import AliasSetting
from hbmlc_store.jobs.trainings import TrainingRecord
from hbmlc_store.schema import (
    AccountRow,
    ApiKeyRow,
    AuditRow,
    CatalogRow,
    JobRow,
    ModelVersionRow,
    ResultRow,
    UsageRow,
)

__all__ = [
    "show_account",
    "show_alias",
    "show_api_key",
    "show_calibration",
    "show_catalog",
    "show_event",
    "show_model",
    "show_result",
    "show_training",
    "show_usage",
]


def show_catalog(
    row: CatalogRow, *, progress: float | None = None, recommended_model: str | None = None
) -> Catalog:
    """Show a catalogue."""
    report: Mapping[str, Any] = row.report or {}
    coverage, labels = report.get("coverage"), report.get("labels")
    return Catalog(
        id=row.id,
        name=row.name,
        state=CatalogState(row.state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        size_bytes=row.size_bytes,
        content_digest=row.content_digest,
        digest=row.digest,
        format=report.get("format"),
        mapping=None if row.mapping is None else ColumnMapping.model_validate(row.mapping),
        mapping_used=report.get("mapping"),
        n_rows=report.get("n_rows"),
        n_labelled=report.get("n_labelled"),
        bands=list(report.get("bands", [])),
        photometry=[BandReport.model_validate(band) for band in report.get("photometry", [])],
        labels=None if labels is None else LabelReport.model_validate(labels),
        findings=_show_findings(report, row.problem),
        rejected=dict(report.get("rejected", {})),
        warnings=list(report.get("warnings", [])),
        coverage=None if coverage is None else Coverage.model_validate(coverage),
        recommended_model=recommended_model,
        progress=progress,
        problem=_show_problem(row.problem, status=422),
    )


def show_account(row: AccountRow) -> Account:
    """Show an account."""
    return Account(id=row.id, name=row.name, created_at=row.created_at)


def show_event(row: AuditRow) -> AuditEvent:
    """Show an event of the audit trail."""
    return AuditEvent(
        id=row.id,
        account_id=row.account_id,
        actor=row.actor,
        action=row.action,
        object_id=row.object_id,
        request_id=row.request_id,
        created_at=row.created_at,
    )


def show_usage(row: UsageRow) -> UsageRecord:
    """Show the metered use of a job."""
    return UsageRecord(
        calibration_id=row.job_id,
        kind="training" if row.kind == "training" else "calibration",
        phase=Phase(row.phase),
        n_galaxies=row.n_galaxies,
        n_tiles=row.n_tiles,
        seconds=row.seconds,
        recorded_at=row.created_at,
    )


def show_calibration(row: JobRow, progress: Progress) -> Calibration:
    """Show a calibration."""
    return Calibration(
        id=row.id,
        catalog_id=row.catalog_id,
        catalog_digest=row.catalog_digest,
        model=_show_pin(row),
        options=row.options,
        seed=row.seed,
        label=row.label,
        phase=Phase(row.phase),
        progress=progress,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        diagnostics=row.diagnostics or {},
        problem=_show_problem(row.problem, status=500),
    )


def show_training(record: TrainingRecord, progress: Progress) -> Training:
    """Show a training."""
    job, training = record.job, record.training
    return Training(
        id=job.id,
        name=training.name,
        version=training.version,
        catalog_ids=[row.catalog_id for row in record.catalogs],
        catalog_digests=[row.digest for row in record.catalogs],
        current=_show_pin(job),
        promote="never" if training.promote == "never" else "if-better",
        options=job.options,
        seed=job.seed,
        label=job.label,
        phase=Phase(job.phase),
        progress=progress,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        result=None if training.result is None else TrainedVersion.model_validate(training.result),
        problem=_show_problem(job.problem, status=500),
    )


def show_result(row: ResultRow) -> ResultFile:
    """Show a result file."""
    return ResultFile(
        name=row.name,
        size_bytes=row.size_bytes,
        digest=row.digest,
        media_type=row.media_type,
        href=f"/v1/calibrations/{row.job_id}/results/{row.name}",
    )


def show_model(row: ModelVersionRow, aliases: list[str]) -> ModelVersion:
    """Show a model version."""
    return ModelVersion(
        name=row.name,
        version=row.version,
        digest=row.digest,
        bands=row.bands,
        card=row.card,
        aliases=aliases,
        is_shipped=row.account_id is None,
        training_id=row.training_id,
        created_at=row.created_at,
    )


def show_alias(setting: AliasSetting) -> ModelAlias:
    """Show a setting of an alias."""
    return ModelAlias(
        name=setting.name,
        alias=setting.alias,
        version=setting.version,
        updated_at=setting.created_at,
        replaced_at=setting.replaced_at,
        set_by=setting.set_by,
        verdict=None if setting.verdict is None else GateVerdict.model_validate(setting.verdict),
    )


def show_api_key(row: ApiKeyRow, *, secret: str | None = None) -> ApiKey:
    """Show an API key; the key itself only to the one who just made it."""
    return ApiKey(
        id=row.id,
        name=row.name,
        prefix=f"hbk_{row.prefix}",
        scopes=[Scope(scope) for scope in row.scopes],
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        secret=secret,
    )


def _show_pin(row: JobRow) -> ModelPin:
    return ModelPin(
        name=row.model_name or "", version=row.model_version or 0, digest=row.model_digest
    )


def _show_findings(report: Mapping[str, Any], problem: Mapping[str, Any] | None) -> list[Finding]:
    """Show what an ingest noticed; what refused a catalogue is a finding, too."""
    found = [Finding.model_validate(finding) for finding in report.get("findings", [])]
    if problem is None:
        return found
    places = [error.get("pointer") for error in problem.get("errors", [])]
    refusal = Finding(
        severity=Severity.ERROR,
        code=str(problem.get("code", "internal-error")),
        message=str(problem.get("detail", "")),
        column=column_of(places[0] if places else None),
        mapping=problem.get("mapping"),
    )
    return [refusal, *found]


def _show_problem(stored: Mapping[str, Any] | None, *, status: int) -> Problem | None:
    if stored is None:
        return None
    code = str(stored.get("code", "internal-error"))
    return Problem(
        type=f"/problems/{code}",
        title=code.replace("-", " ").capitalize(),
        status=status,
        detail=str(stored.get("detail", "")),
        code=code,
        errors=[ProblemDetail.model_validate(error) for error in stored.get("errors", [])],
    )
