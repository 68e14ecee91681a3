"""``/v1/calibrations/{id}/events``: server-sent events of a calibration."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from hbmlc_service.auth import Caller
from hbmlc_service.context import Context
from hbmlc_service.following import LastEventId, event_responses, stream
from hbmlc_service.handlers.calibrations import look_at

__all__ = ["router"]

router = APIRouter(prefix="/v1/calibrations", tags=["calibrations"])


@router.get(
    "/{calibration_id}/events",
    response_class=StreamingResponse,
    responses=event_responses("Calibration"),
)
async def stream_events(
    calibration_id: UUID,
    context: Context,
    caller: Caller,
    request: Request,
    last_event_id: LastEventId = None,
) -> StreamingResponse:
    """Follow a calibration until its end."""
    return await stream(
        context,
        request,
        lambda tx: look_at(tx, caller.account_id, calibration_id),
        caller=caller,
        seen=last_event_id,
    )
