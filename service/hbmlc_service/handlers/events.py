"""``/v1/calibrations/{id}/events``: server-sent events of a calibration.

Each event is the whole present state, so nothing is missed by missing one. Its id is a digest of
that state: a client that returns with ``Last-Event-ID`` gets an event once the state differs.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from hbmlc.schemas import Calibration
from hbmlc_service.auth import Caller
from hbmlc_service.context import Context, ServiceContext
from hbmlc_service.handlers.calibrations import look_at
from hbmlc_service.problems import problem_responses
from hbmlc_service.waiting import LOOK_SECONDS
from hbmlc_store.errors import NotFoundError

__all__ = ["follow", "router"]

router = APIRouter(prefix="/v1/calibrations", tags=["calibrations"])

KEEP_ALIVE_SECONDS = 15.0
"""Proxies close a connection that is silent for longer than some 30 s."""


@router.get(
    "/{calibration_id}/events",
    response_class=StreamingResponse,
    responses={
        **problem_responses(404),
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
    },
)
async def stream_events(
    calibration_id: UUID,
    context: Context,
    caller: Caller,
    request: Request,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)] = None,
) -> StreamingResponse:
    """Follow a calibration until its end."""
    await context.arun(lambda tx: look_at(tx, caller.account_id, calibration_id))
    events = follow(
        context, request, account_id=caller.account_id, job_id=calibration_id, seen=last_event_id
    )
    return StreamingResponse(
        events, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def follow(
    context: ServiceContext, request: Request, *, account_id: UUID, job_id: UUID, seen: str | None
) -> AsyncIterator[str]:
    """Yield an event for each new state; ends after the final one."""
    spoken = time.monotonic()
    while not await request.is_disconnected():
        try:
            state = await context.arun(lambda tx: look_at(tx, account_id, job_id))
        except NotFoundError:
            return
        body = state.model_dump_json()
        event_id = hashlib.sha256(body.encode()).hexdigest()[:16]
        if event_id != seen:
            yield _event(state, event_id, body)
            seen, spoken = event_id, time.monotonic()
        elif time.monotonic() - spoken > KEEP_ALIVE_SECONDS:
            yield ": still here\n\n"
            spoken = time.monotonic()
        if state.phase.is_final:
            return
        await asyncio.sleep(LOOK_SECONDS)


def _event(state: Calibration, event_id: str, body: str) -> str:
    name = "end" if state.phase.is_final else "progress"
    return f"id: {event_id}\nevent: {name}\ndata: {body}\n\n"
