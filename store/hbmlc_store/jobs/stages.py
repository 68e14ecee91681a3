"""Stages of a job: their order, their queue, and how many units one message stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, insert, update
from sqlalchemy.orm import Session

from hbmlc.schemas import Stage
from hbmlc_store.outbox import add_message
from hbmlc_store.schema import JsonObject, StageRow, UnitRow

__all__ = [
    "JobKind",
    "Queue",
    "batch_size",
    "create_stages",
    "enqueue",
    "next_stage",
    "open_stage",
    "queue_of",
]


class JobKind(StrEnum):
    """Kinds of jobs."""

    INGEST = "ingest"
    CALIBRATION = "calibration"
    TRAINING = "training"


class Queue(StrEnum):
    """Queues of the broker."""

    CPU = "cpu"
    GPU = "gpu"
    INGEST = "ingest"
    """Ingests take seconds and people wait for them: they never queue behind calibrations."""


STAGES: Mapping[JobKind, tuple[Stage, ...]] = {
    JobKind.INGEST: (Stage.INGEST,),
    JobKind.CALIBRATION: (Stage.SURVEY, Stage.SELECTION, Stage.ADAPTATION, Stage.ASSEMBLY),
    JobKind.TRAINING: (Stage.TRAINING,),
}
_BATCH = {Stage.ADAPTATION: 8}
"""Units that one task of a stage takes at once: tiles are adapted side by side on the device."""


def batch_size(stage: Stage) -> int:
    """How many units one task of the stage claims at most."""
    return _BATCH.get(stage, 1)


def queue_of(stage: Stage) -> Queue:
    """Queue whose workers serve the stage."""
    match stage:
        case Stage.ADAPTATION:
            return Queue.GPU
        case Stage.INGEST:
            return Queue.INGEST
        case _:
            return Queue.CPU


def next_stage(kind: JobKind, stage: Stage) -> Stage | None:
    """Stage that follows; ``None`` after the last."""
    stages = STAGES[kind]
    position = stages.index(stage) + 1
    return stages[position] if position < len(stages) else None


def create_stages(tx: Session, job_id: UUID, kind: JobKind) -> None:
    """Write the empty stages of a new job and open the first with one unit."""
    tx.flush()
    tx.execute(
        insert(StageRow),
        [
            {"job_id": job_id, "stage": stage.value, "position": position, "total": 0, "done": 0}
            for position, stage in enumerate(STAGES[kind])
        ],
    )
    open_stage(tx, job_id, STAGES[kind][0], payloads=[{}])


def open_stage(tx: Session, job_id: UUID, stage: Stage, *, payloads: Sequence[JsonObject]) -> None:
    """Insert a stage's units, ready to be claimed, together with their messages."""
    if not payloads:
        raise ValueError(f"stage {stage} of job {job_id} has no units")
    tx.execute(
        update(StageRow)
        .where(StageRow.job_id == job_id, StageRow.stage == stage)
        .values(total=len(payloads), started_at=func.now())
    )
    tx.execute(
        insert(UnitRow).values(queued_at=func.now()),
        [
            {
                "job_id": job_id,
                "stage": stage.value,
                "unit": unit,
                "state": "READY",
                "attempt": 0,
                "fraction": 0.0,
                "payload": payload,
            }
            for unit, payload in enumerate(payloads)
        ],
    )
    enqueue(tx, job_id, stage, n_units=len(payloads))


def enqueue(tx: Session, job_id: UUID, stage: Stage, *, n_units: int) -> None:
    """Announce ``n_units`` ready units. A message names no unit: its task takes what is ready."""
    for _ in range(math.ceil(n_units / batch_size(stage))):
        add_message(
            tx,
            queue=queue_of(stage).value,
            payload={"job_id": str(job_id), "stage": stage.value},
        )
