"""Jobs: their phases, stages and progress, whatever they do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from hbmlc.schemas.base import Answer

__all__ = ["Phase", "Progress", "Stage", "StageProgress"]


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
    """Stages of work, in the order of a calibration; ingests and trainings have only their own."""

    INGEST = "INGEST"
    SURVEY = "SURVEY"
    SELECTION = "SELECTION"
    ADAPTATION = "ADAPTATION"
    ASSEMBLY = "ASSEMBLY"
    TRAINING = "TRAINING"


class StageProgress(Answer):
    """How far one stage is."""

    stage: Stage
    done: int
    total: int
    fraction: float = Field(ge=0.0, le=1.0)
    started_at: datetime | None = None
    ended_at: datetime | None = None


class Progress(Answer):
    """How far a job is."""

    fraction: float = Field(default=0.0, ge=0.0, le=1.0)
    """Mean over the stages."""
    stages: list[StageProgress] = Field(default_factory=list[StageProgress])
