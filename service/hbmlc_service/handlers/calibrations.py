"""``/v1/calibrations``: request, watch, abort and delete calibrations."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from hbmlc.schemas import Calibration, CalibrationRequest, Page
from hbmlc_service.auth import CalibrationWriter, Caller
from hbmlc_service.context import Context
from hbmlc_service.following import WatchedPhase, watch
from hbmlc_service.idempotency import IdempotencyKey, create_once, digest_of
from hbmlc_service.pagination import Paging
from hbmlc_service.problems import problem_responses
from hbmlc_service.views import show_calibration
from hbmlc_service.waiting import Wait
from hbmlc_store.audit import note_event
from hbmlc_store.jobs.calibrations import (
    abort_calibration,
    create_calibration,
    delete_calibration,
    find_calibration,
    list_calibrations,
)
from hbmlc_store.jobs.progress import progress_of
from hbmlc_store.schema import JobRow

__all__ = ["look_at", "router"]

router = APIRouter(prefix="/v1/calibrations", tags=["calibrations"])


@router.post("", status_code=202, responses=problem_responses(404, 409, 422))
def create(
    asked: CalibrationRequest,
    response: Response,
    context: Context,
    caller: CalibrationWriter,
    idempotency_key: IdempotencyKey = None,
) -> Calibration:
    """Request a calibration; row and message commit together, then the answer is 202."""

    def use_case(tx: Session) -> Calibration:
        def make() -> tuple[UUID, JobRow]:
            row = create_calibration(tx, caller.account_id, asked, request_id=caller.request_id)
            note_event(tx, caller, "calibration.create", row.id)
            return row.id, row

        row = create_once(
            tx,
            caller.account_id,
            idempotency_key,
            request_digest=digest_of("calibration", asked),
            create=make,
            find=lambda found: find_calibration(tx, caller.account_id, found),
        )
        return show_calibration(row, progress_of(tx, [row.id])[row.id])

    calibration = context.run(use_case)
    response.headers["Location"] = f"/v1/calibrations/{calibration.id}"
    return calibration


@router.get("", responses=problem_responses(422))
def list_all(
    context: Context,
    caller: Caller,
    paging: Paging,
    catalog_id: Annotated[UUID | None, Query(description="Those of one catalogue only.")] = None,
) -> Page[Calibration]:
    """List calibrations, newest first."""

    def use_case(tx: Session) -> Page[Calibration]:
        rows = list_calibrations(
            tx, caller.account_id, limit=paging.n_rows, before=paging.before, catalog_id=catalog_id
        )
        page, next_cursor = paging.cut(rows)
        progress = progress_of(tx, [row.id for row in page])
        items = [show_calibration(row, progress[row.id]) for row in page]
        return Page(items=items, next_cursor=next_cursor)

    return context.run(use_case)


@router.get("/{calibration_id}", responses=problem_responses(404, 422))
async def get_one(
    calibration_id: UUID,
    context: Context,
    caller: Caller,
    request: Request,
    wait: Wait = 0,
    phase: WatchedPhase = None,
) -> Calibration:
    """Look at a calibration; ``wait`` waits until its phase changes or is final."""
    return await watch(
        context,
        request,
        lambda tx: look_at(tx, caller.account_id, calibration_id),
        phase=phase,
        wait=wait,
    )


@router.post("/{calibration_id}/abort", responses=problem_responses(404, 409, 422))
def abort(calibration_id: UUID, context: Context, caller: CalibrationWriter) -> Calibration:
    """Abort a calibration; its workers stop within seconds."""

    def use_case(tx: Session) -> Calibration:
        abort_calibration(tx, caller.account_id, calibration_id)
        note_event(tx, caller, "calibration.abort", calibration_id)
        return look_at(tx, caller.account_id, calibration_id)

    return context.run(use_case)


@router.delete("/{calibration_id}", status_code=204, responses=problem_responses(404, 422))
def delete_one(calibration_id: UUID, context: Context, caller: CalibrationWriter) -> None:
    """Delete a calibration and its results; its metering record stays."""

    def use_case(tx: Session) -> None:
        delete_calibration(tx, caller.account_id, calibration_id)
        note_event(tx, caller, "calibration.delete", calibration_id)

    context.run(use_case)


def look_at(tx: Session, account_id: UUID, calibration_id: UUID) -> Calibration:
    """Read a calibration as its owner sees it."""
    row = find_calibration(tx, account_id, calibration_id)
    tx.refresh(row)
    return show_calibration(row, progress_of(tx, [row.id])[row.id])
