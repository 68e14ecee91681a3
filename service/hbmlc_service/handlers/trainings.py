"""``/v1/trainings``: train an account's own model versions."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from hbmlc.schemas import Page, Training, TrainingRequest
from hbmlc_service.auth import Caller, ModelWriter
from hbmlc_service.context import Context
from hbmlc_service.following import LastEventId, WatchedPhase, event_responses, stream, watch
from hbmlc_service.idempotency import IdempotencyKey, create_once, digest_of
from hbmlc_service.pagination import Paging
from hbmlc_service.problems import problem_responses
from hbmlc_service.views import show_training
from hbmlc_service.waiting import Wait
from hbmlc_store.audit import note_event
from hbmlc_store.jobs.owned import abort_owned, delete_owned, find_job, list_jobs
from hbmlc_store.jobs.progress import progress_of
from hbmlc_store.jobs.stages import JobKind
from hbmlc_store.jobs.trainings import create_training, records_of
from hbmlc_store.schema import JobRow

__all__ = ["router"]

router = APIRouter(prefix="/v1/trainings", tags=["trainings"])


@router.post("", status_code=202, responses=problem_responses(404, 409, 422))
def create(
    asked: TrainingRequest,
    response: Response,
    context: Context,
    caller: ModelWriter,
    idempotency_key: IdempotencyKey = None,
) -> Training:
    """Request a new version of a model, trained on catalogues with the same bands."""

    def use_case(tx: Session) -> Training:
        def make() -> tuple[UUID, JobRow]:
            row = create_training(tx, caller.account_id, asked, request_id=caller.request_id)
            note_event(tx, caller, "training.create", row.id)
            return row.id, row

        row = create_once(
            tx,
            caller.account_id,
            idempotency_key,
            request_digest=digest_of("training", asked),
            create=make,
            find=lambda found: find_job(tx, caller.account_id, found, kind=JobKind.TRAINING),
        )
        return _show_all(tx, [row])[0]

    training = context.run(use_case)
    response.headers["Location"] = f"/v1/trainings/{training.id}"
    return training


@router.get("", responses=problem_responses(422))
def list_all(
    context: Context,
    caller: Caller,
    paging: Paging,
) -> Page[Training]:
    """List trainings, newest first."""

    def use_case(tx: Session) -> Page[Training]:
        rows = list_jobs(
            tx, caller.account_id, kind=JobKind.TRAINING, limit=paging.n_rows, before=paging.before
        )
        page, next_cursor = paging.cut(rows)
        return Page(items=_show_all(tx, list(page)), next_cursor=next_cursor)

    return context.run(use_case)


@router.get("/{training_id}", responses=problem_responses(404, 422))
async def get_one(
    training_id: UUID,
    context: Context,
    caller: Caller,
    request: Request,
    wait: Wait = 0,
    phase: WatchedPhase = None,
) -> Training:
    """Look at a training; ``wait`` waits until its phase changes or is final."""
    return await watch(
        context,
        request,
        lambda tx: _look_at(tx, caller.account_id, training_id),
        phase=phase,
        wait=wait,
    )


@router.get(
    "/{training_id}/events", response_class=StreamingResponse, responses=event_responses("Training")
)
async def stream_events(
    training_id: UUID,
    context: Context,
    caller: Caller,
    request: Request,
    last_event_id: LastEventId = None,
) -> StreamingResponse:
    """Follow a training until its end."""
    return await stream(
        context,
        request,
        lambda tx: _look_at(tx, caller.account_id, training_id),
        caller=caller,
        seen=last_event_id,
    )


@router.post("/{training_id}/abort", responses=problem_responses(404, 409, 422))
def abort(training_id: UUID, context: Context, caller: ModelWriter) -> Training:
    """Abort a training; its worker stops within seconds."""

    def use_case(tx: Session) -> Training:
        abort_owned(tx, caller.account_id, training_id, kind=JobKind.TRAINING)
        note_event(tx, caller, "training.abort", training_id)
        return _look_at(tx, caller.account_id, training_id)

    return context.run(use_case)


@router.delete("/{training_id}", status_code=204, responses=problem_responses(404, 422))
def delete_one(training_id: UUID, context: Context, caller: ModelWriter) -> None:
    """Delete a training; the version that it made and its metering record stay."""

    def use_case(tx: Session) -> None:
        delete_owned(tx, caller.account_id, training_id, kind=JobKind.TRAINING)
        note_event(tx, caller, "training.delete", training_id)

    context.run(use_case)


def _look_at(tx: Session, account_id: UUID, training_id: UUID) -> Training:
    row = find_job(tx, account_id, training_id, kind=JobKind.TRAINING)
    tx.refresh(row)
    return _show_all(tx, [row])[0]


def _show_all(tx: Session, rows: list[JobRow]) -> list[Training]:
    progress = progress_of(tx, [row.id for row in rows])
    return [show_training(found, progress[found.job.id]) for found in records_of(tx, rows)]
