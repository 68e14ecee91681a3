"""Calibrations and their results."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from hbmlc.schemas.base import Answer, Name, Request
from hbmlc.schemas.jobs import Phase, Progress
from hbmlc.schemas.models import ModelPin
from hbmlc.schemas.problems import Problem

__all__ = ["Calibration", "CalibrationOptions", "CalibrationRequest", "ResultFile"]

ModelReference = Annotated[
    Name,
    Field(
        # Said, not enforced: a broken reference has a problem of its own.
        json_schema_extra={
            "pattern": r"^[a-z0-9][a-z0-9._-]{0,62}(@[A-Za-z0-9._-]{1,63}|:[0-9]{1,9})?$"
        }
    ),
]


class CalibrationOptions(Request):
    """Knobs of a calibration; what is left out takes the default of the pipeline."""

    preset: Literal["default", "seed"] | None = None
    """Selection model: noise-aware galaxy types, or the one as first published."""
    parts: Literal["both", "selection", "network"] | None = None
    """Parts of the method that answer: both pooled by evidence, or one of them alone."""
    dimming: Literal["sky", "none"] | None = None
    """Which brightness labelled galaxies stand for: that of the others, or their own."""
    anchors: Literal["stratified", "top"] | None = None
    """Rule that picks the labelled galaxies to which the network adapts."""
    n_anchors: int | None = Field(default=None, ge=0, le=50)
    z_max: float | None = Field(default=None, ge=0.1, le=20.0)
    """End of the redshift grid; left out: 3, or as far as labels and the model's galaxies reach, up
    to 7. Labels beyond an end that is given are left out and counted."""
    n_grid: int | None = Field(default=None, ge=11, le=5001)
    """Nodes of that grid; left out: 301, and 100 for each unit of redshift beyond 3."""
    beta_mean: float | None = Field(default=None, ge=-10.0, le=10.0)
    """Prior mean of the selection's dependence on redshift [per unit z]."""
    beta_scale: float | None = Field(default=None, gt=0.0, le=10.0)
    """Its prior standard deviation."""
    beta_rule: Literal["evidence", "fixed"] | None = None
    """Whether both shrink where photometry shows no selection; fixed where one of them is given."""
    draws: int | None = Field(default=None, ge=50, le=20_000)
    tune: int | None = Field(default=None, ge=50, le=20_000)
    chains: int | None = Field(default=None, ge=1, le=8)
    head: Literal["mixture", "mse"] | None = None
    inner_steps: int | None = Field(default=None, ge=1, le=3)
    train_steps: int | None = Field(default=None, ge=0, le=100_000)
    meta_steps: int | None = Field(default=None, ge=0, le=100_000)
    min_tile_galaxies: int | None = Field(default=None, ge=1, le=10**9)
    """Smaller tiles share a unit of work."""


class CalibrationRequest(Request):
    """Asks for a calibration of one catalogue."""

    catalog_id: UUID
    model: ModelReference | None = None
    """``name@alias``, ``name:version``, ``auto`` or ``None`` (the same as ``auto``)."""
    options: CalibrationOptions = Field(default_factory=CalibrationOptions)
    seed: int = Field(default=0, ge=0, lt=2**63)
    label: Name | None = None
    """Free text of the caller; comes back unchanged."""


class Calibration(Answer):
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


class ResultFile(Answer):
    """One file among the results of a calibration."""

    name: str
    size_bytes: int
    digest: str
    """Hexadecimal sha256 of the bytes."""
    media_type: str
    href: str
    """Path that downloads it."""
