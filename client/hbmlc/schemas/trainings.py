"""Trainings: a survey's own version of a model, made from its catalogues."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from hbmlc.schemas.base import Answer, Name, Request
from hbmlc.schemas.jobs import Phase, Progress
from hbmlc.schemas.models import GateVerdict, ModelPin
from hbmlc.schemas.problems import Problem

__all__ = ["TrainedVersion", "Training", "TrainingOptions", "TrainingRequest"]

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


def _without_repetition(ids: list[UUID]) -> list[UUID]:
    if len(set(ids)) < len(ids):
        raise ValueError("a catalogue is named twice; its galaxies would count twice")
    return ids


class TrainingOptions(Request):
    """Knobs of a training; what is left out takes the default of the pipeline."""

    train_steps: int | None = Field(default=None, ge=0, le=100_000)
    """Supervised steps in which the network learns the survey."""
    meta_steps: int | None = Field(default=None, ge=0, le=100_000)
    """Outer steps of meta-learning."""


class TrainingRequest(Request):
    """Asks for a new version of a model, trained on catalogues with the same bands."""

    name: ModelName
    """Name of the model; the next number of it is given."""
    catalog_ids: Annotated[list[UUID], AfterValidator(_without_repetition)] = Field(
        min_length=1, max_length=20, json_schema_extra={"uniqueItems": True}
    )
    options: TrainingOptions = Field(default_factory=TrainingOptions)
    seed: int = Field(default=0, ge=0, lt=2**63)
    promote: Literal["if-better", "never"] = "if-better"
    """Whether the version becomes ``production`` where it beats the present one."""
    label: Name | None = None
    """Free text of the caller; comes back unchanged."""


class TrainedVersion(Answer):
    """What a training made."""

    reference: str
    """``name:version``, as a calibration takes it."""
    digest: str
    bands: list[str]
    metrics: dict[str, JsonValue] = Field(default_factory=dict)
    """Figures of merit on held-out labels, of it and of the version that it is compared with."""
    gate: GateVerdict
    is_promoted: bool
    """Whether it became ``production``."""
    promotion: str
    """Why it did, or did not."""


class Training(Answer):
    """A training job."""

    id: UUID
    name: str
    version: int
    """Number of the version that it makes."""
    catalog_ids: list[UUID]
    catalog_digests: list[str | None]
    current: ModelPin
    """Version from which it starts, and which the new one has to beat."""
    promote: Literal["if-better", "never"]
    options: dict[str, JsonValue] = Field(default_factory=dict)
    seed: int
    label: str | None = None
    phase: Phase
    progress: Progress = Field(default_factory=Progress)
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result: TrainedVersion | None = None
    """What was made, once the phase is COMPLETED."""
    problem: Problem | None = None
