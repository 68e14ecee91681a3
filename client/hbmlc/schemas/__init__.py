"""Wire schemas: every JSON document that the service answers or accepts.

They live here once; the service and the SDK both import them. Fields are only ever added inside
v1, so a client ignores fields that it does not know, while a request with an unknown field is
refused.
"""

from __future__ import annotations

from hbmlc.schemas.accounts import (
    Account,
    AccountRequest,
    ApiKey,
    ApiKeyRequest,
    AuditEvent,
    OperatorKey,
    OperatorKeyRequest,
    Scope,
    UsageRecord,
)
from hbmlc.schemas.base import Page
from hbmlc.schemas.calibrations import (
    Calibration,
    CalibrationOptions,
    CalibrationRequest,
    ResultFile,
)
from hbmlc.schemas.catalogs import (
    Catalog,
    CatalogReport,
    CatalogRequest,
    CatalogState,
    Coverage,
    FluxUnit,
)
from hbmlc.schemas.findings import (
    BandReport,
    Finding,
    LabelReport,
    Severity,
    UnitSource,
    column_of,
)
from hbmlc.schemas.health import Health, Readiness
from hbmlc.schemas.jobs import Phase, Progress, Stage, StageProgress
from hbmlc.schemas.mappings import ColumnMapping, QualityCut
from hbmlc.schemas.models import GateVerdict, ModelAlias, ModelAliasRequest, ModelPin, ModelVersion
from hbmlc.schemas.problems import Problem, ProblemDetail
from hbmlc.schemas.trainings import (
    TrainedVersion,
    Training,
    TrainingOptions,
    TrainingRequest,
)

__all__ = [
    "Account",
    "AccountRequest",
    "ApiKey",
    "ApiKeyRequest",
    "AuditEvent",
    "BandReport",
    "Calibration",
    "CalibrationOptions",
    "CalibrationRequest",
    "Catalog",
    "CatalogReport",
    "CatalogRequest",
    "CatalogState",
    "ColumnMapping",
    "Coverage",
    "Finding",
    "FluxUnit",
    "GateVerdict",
    "Health",
    "LabelReport",
    "ModelAlias",
    "ModelAliasRequest",
    "ModelPin",
    "ModelVersion",
    "OperatorKey",
    "OperatorKeyRequest",
    "Page",
    "Phase",
    "Problem",
    "ProblemDetail",
    "Progress",
    "QualityCut",
    "Readiness",
    "ResultFile",
    "Scope",
    "Severity",
    "Stage",
    "StageProgress",
    "TrainedVersion",
    "Training",
    "TrainingOptions",
    "TrainingRequest",
    "UnitSource",
    "UsageRecord",
    "column_of",
]
