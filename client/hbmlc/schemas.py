"""Wire schemas: every JSON document that the service answers or accepts.

They live here once; the service and the SDK both import them. Fields are only ever added inside
v1, so a client ignores fields that it does not know, while a request with an unknown field is
refused.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

__all__ = [
    "ApiKey",
    "ApiKeyRequest",
    "Calibration",
    "CalibrationOptions",
    "CalibrationRequest",
    "Catalog",
    "CatalogRequest",
    "CatalogState",
    "ColumnMapping",
    "Coverage",
    "FluxUnit",
    "Health",
    "ModelAlias",
    "ModelAliasRequest",
    "ModelPin",
    "ModelVersion",
    "Page",
    "Phase",
    "Problem",
    "ProblemDetail",
    "Progress",
    "Readiness",
    "ResultFile",
    "Scope",
    "Stage",
    "StageProgress",
    "UsageRecord",
]

ItemT = TypeVar("ItemT", bound=BaseModel)

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Band = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class _Answer(BaseModel):
    """A document of the service; unknown fields come from a newer service and are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Request(BaseModel):
    """A document of a client; an unknown field is a typing mistake and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Phase(StrEnum):
    """Phases of a job, as in IVOA UWS 1.1."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    EXECUTING = "EXECUTING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    ABORTED = "ABORTED"
    HELD = "HELD"
    SUSPENDED = "SUSPENDED"
    ARCHIVED = "ARCHIVED"

    @property
    def is_final(self) -> bool:
        """True where no worker will touch the job again."""
        return self in {Phase.COMPLETED, Phase.ERROR, Phase.ABORTED, Phase.ARCHIVED}


class Stage(StrEnum):
    """Stages of work, in the order of a calibration; an ingest has only its own."""

    INGEST = "INGEST"
    SURVEY = "SURVEY"
    SELECTION = "SELECTION"
    ADAPTATION = "ADAPTATION"
    ASSEMBLY = "ASSEMBLY"


class CatalogState(StrEnum):
    """States of an uploaded catalogue."""

    CREATED = "CREATED"
    """Announced; the content is yet to come."""
    INGESTING = "INGESTING"
    """The content is here and is being read."""
    READY = "READY"
    """Read and validated; may be calibrated."""
    REJECTED = "REJECTED"
    """Unusable; ``problem`` says why."""


class Scope(StrEnum):
    """What an API key may do; reading one's own objects needs no scope."""

    CATALOGS_WRITE = "catalogs:write"
    CALIBRATIONS_WRITE = "calibrations:write"
    MODELS_WRITE = "models:write"
    ADMIN = "admin"


class FluxUnit(StrEnum):
    """Units in which fluxes may be uploaded."""

    MAGGY = "maggy"
    NANOMAGGY = "nanomaggy"
    JANSKY = "Jy"
    MICROJANSKY = "uJy"
    NANOJANSKY = "nJy"


class ProblemDetail(_Answer):
    """One finding of a problem."""

    pointer: str | None = None
    """JSON pointer into the request body, or ``row``/``column`` of a catalogue."""
    message: str


class Problem(_Answer):
    """A problem document, RFC 9457 (``application/problem+json``)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    """What was found and what to do about it."""
    instance: str | None = None
    code: str
    """Stable machine-readable name of the problem."""
    errors: list[ProblemDetail] = Field(default_factory=list[ProblemDetail])
    request_id: str | None = None


class ColumnMapping(_Request):
    """Which column of the upload holds what; fields left out are guessed from the column names."""

    id: Column | None = None
    tile: Column | None = None
    ra: Column | None = None
    dec: Column | None = None
    z_spec: Column | None = None
    selected: Column | None = None
    mag: dict[Band, Column] = Field(default_factory=dict)
    """Band name to the column of its AB magnitude."""
    mag_err: dict[Band, Column] = Field(default_factory=dict)
    flux: dict[Band, Column] = Field(default_factory=dict)
    """Band name to the column of its flux, in ``flux_unit``."""
    flux_err: dict[Band, Column] = Field(default_factory=dict)
    flux_unit: FluxUnit | None = None
    extras: dict[str, Column] = Field(default_factory=dict)
    """``size``, ``ellipticity``, ``concentration``, ``density``, ``depth_<band>``,
    ``seeing_<band>``."""


class CatalogRequest(_Request):
    """Announces a catalogue whose content follows with ``PUT /v1/catalogs/{id}/content``."""

    name: Name
    mapping: ColumnMapping | None = None


class Coverage(_Answer):
    """Part of the sky that a catalogue covers [degrees]; ``None`` without positions."""

    ra_min: float | None = None
    ra_max: float | None = None
    dec_min: float | None = None
    dec_max: float | None = None
    n_tiles: int = 0


class Catalog(_Answer):
    """An uploaded catalogue and what was found in it."""

    id: UUID
    name: str
    state: CatalogState
    created_at: datetime
    updated_at: datetime
    size_bytes: int | None = None
    content_digest: str | None = None
    """Hexadecimal sha256 of the uploaded bytes."""
    digest: str | None = None
    """Hexadecimal sha256 of the canonical form; a calibration pins it."""
    format: str | None = None
    mapping: ColumnMapping | None = None
    """The mapping asked for, or ``None`` where it is left to guess."""
    mapping_used: dict[str, JsonValue] | None = None
    n_rows: int | None = None
    n_labelled: int | None = None
    bands: list[str] = Field(default_factory=list[str])
    rejected: dict[str, int] = Field(default_factory=dict)
    """Rows or values refused, by reason."""
    warnings: list[str] = Field(default_factory=list[str])
    coverage: Coverage | None = None
    recommended_model: str | None = None
    """Model that ``auto`` would take."""
    progress: float | None = None
    """Fraction of the ingest that is done, while INGESTING."""
    problem: Problem | None = None


class CalibrationOptions(_Request):
    """Knobs of a calibration; what is left out takes the default of the pipeline."""

    preset: Literal["default", "seed"] | None = None
    """Selection model: noise-aware galaxy types, or the one as first published."""
    parts: Literal["both", "selection", "network"] | None = None
    """Parts of the method that answer: both pooled by evidence, or one of them alone."""
    anchors: Literal["stratified", "top"] | None = None
    """Rule that picks the labelled galaxies to which the network adapts."""
    n_anchors: int | None = Field(default=None, ge=0, le=50)
    z_max: float | None = Field(default=None, ge=0.1, le=20.0)
    n_grid: int | None = Field(default=None, ge=11, le=5001)
    beta_mean: float | None = Field(default=None, ge=-10.0, le=10.0)
    """Prior mean of the selection's dependence on redshift [per unit z]."""
    beta_scale: float | None = Field(default=None, gt=0.0, le=10.0)
    """Its prior standard deviation."""
    draws: int | None = Field(default=None, ge=50, le=20_000)
    tune: int | None = Field(default=None, ge=50, le=20_000)
    chains: int | None = Field(default=None, ge=1, le=8)
    head: Literal["mixture", "mse"] | None = None
    inner_steps: int | None = Field(default=None, ge=1, le=3)
    train_steps: int | None = Field(default=None, ge=0, le=100_000)
    meta_steps: int | None = Field(default=None, ge=0, le=100_000)
    min_tile_galaxies: int | None = Field(default=None, ge=1)
    """Smaller tiles share a unit of work."""


class CalibrationRequest(_Request):
    """Asks for a calibration of one catalogue."""

    catalog_id: UUID
    model: Name | None = None
    """``name@alias``, ``name:version``, ``auto`` or ``None`` (the same as ``auto``)."""
    options: CalibrationOptions = Field(default_factory=CalibrationOptions)
    seed: int = Field(default=0, ge=0, lt=2**63)
    label: Name | None = None
    """Free text of the caller; comes back unchanged."""


class ModelPin(_Answer):
    """The model version that a calibration is bound to."""

    name: str
    version: int
    digest: str | None = None


class StageProgress(_Answer):
    """How far one stage is."""

    stage: Stage
    done: int
    total: int
    fraction: float = Field(ge=0.0, le=1.0)
    started_at: datetime | None = None
    ended_at: datetime | None = None


class Progress(_Answer):
    """How far a job is."""

    fraction: float = Field(default=0.0, ge=0.0, le=1.0)
    """Mean over the stages."""
    stages: list[StageProgress] = Field(default_factory=list[StageProgress])


class Calibration(_Answer):
    """A calibration job."""

    id: UUID
    catalog_id: UUID
    catalog_digest: str | None = None
    model: ModelPin
    options: dict[str, JsonValue] = Field(default_factory=dict)
    seed: int
    label: str | None = None
    phase: Phase
    progress: Progress = Field(default_factory=Progress)
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    diagnostics: dict[str, JsonValue] = Field(default_factory=dict)
    problem: Problem | None = None


class ResultFile(_Answer):
    """One file among the results of a calibration."""

    name: str
    size_bytes: int
    digest: str
    """Hexadecimal sha256 of the bytes."""
    media_type: str
    href: str
    """Path that downloads it."""


class ModelAlias(_Answer):
    """A moving name of a model version."""

    name: str
    alias: str
    version: int
    updated_at: datetime


class ModelAliasRequest(_Request):
    """Points an alias at a version."""

    version: int = Field(ge=1)


class ModelVersion(_Answer):
    """An immutable version of a model."""

    name: str
    version: int
    digest: str
    bands: list[str]
    card: dict[str, JsonValue]
    aliases: list[str] = Field(default_factory=list[str])
    created_at: datetime


class ApiKeyRequest(_Request):
    """Asks for a new API key."""

    name: Name
    scopes: list[Scope] = Field(default_factory=list[Scope])
    expires_at: datetime | None = None


class ApiKey(_Answer):
    """An API key; ``secret`` is present once, in the answer that creates it."""

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    secret: str | None = None


class UsageRecord(_Answer):
    """Metered use of one calibration."""

    calibration_id: UUID
    phase: Phase
    n_galaxies: int
    n_tiles: int
    seconds: float
    recorded_at: datetime


class Page(_Answer, Generic[ItemT]):
    """One page of a listing; ``next_cursor`` asks for the one after it."""

    items: list[ItemT]
    next_cursor: str | None = None


class Health(_Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class Readiness(_Answer):
    """Whether the parts that the service leans on work."""

    status: Literal["ready", "not-ready"]
    checks: dict[str, str]
    """Part to ``ok`` or to what is wrong with it."""
    oldest_message_seconds: float | None = None
    """Age of the oldest message not yet handed to the broker."""
