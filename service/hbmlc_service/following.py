"""Following a job of any kind: one long poll, or server-sent events until its end.

Each event is the whole present state, so nothing is missed by missing one. Its id is a digest of
that state: a client that returns with ``Last-Event-ID`` gets an event once the state differs. A
stream looks when a change is announced, and a key has a bounded number of streams.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from hbmlc.schemas import Calibration, Phase, Training
from hbmlc_service.context import ServiceContext
from hbmlc_service.problems import problem_responses
from hbmlc_service.streams import StreamSlots
from hbmlc_service.waiting import CALM_SECONDS, poll
from hbmlc_store.accounts import Identity, is_still_valid
from hbmlc_store.errors import NotFoundError

__all__ = ["LastEventId", "WatchedPhase", "event_responses", "follow", "stream", "watch"]

KEEP_ALIVE_SECONDS = 15.0
"""Proxies close a connection that is silent for longer than some 30 s."""

LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)]
WatchedPhase = Annotated[
    Phase | None, Query(description="Wait while the phase is this one; default: the present.")
]
JobT = TypeVar("JobT", Calibration, Training)


def event_responses(schema: str) -> dict[int | str, dict[str, object]]:
    """Describe for OpenAPI what a stream answers whose events carry documents of this schema.

    As OpenAPI 3.1 has it, the schema of a stream is that of each event.
    """
    event = {
        "type": "object",
        "required": ["id", "event", "data"],
        "properties": {
            "id": {"type": "string", "description": "To be sent back as Last-Event-ID."},
            "event": {"enum": ["progress", "end"]},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": f"#/components/schemas/{schema}"},
            },
        },
    }
    return {
        **problem_responses(404, 422, 429),
        200: {"description": "Events.", "content": {"text/event-stream": {"schema": event}}},
    }


async def watch(
    context: ServiceContext,
    request: Request,
    look: Callable[[Session], JobT],
    *,
    phase: Phase | None,
    wait: float,
) -> JobT:
    """Look at a job; ``wait`` waits until its phase changes or is final."""
    first = await context.arun(look)
    watched = phase or first.phase
    return await poll(
        context,
        request,
        look,
        object_id=first.id,
        is_settled=lambda seen: seen.phase is not watched or seen.phase.is_final,
        wait=wait,
    )


async def stream(
    context: ServiceContext,
    request: Request,
    look: Callable[[Session], JobT],
    *,
    caller: Identity,
    seen: str | None,
) -> StreamingResponse:
    """Answer with the events of a job; one that does not exist answers 404 at once."""
    job_id = (await context.arun(look)).id
    context.streams.check(caller.key_id)

    def look_still(tx: Session) -> JobT:
        # A stream may outlive the key that opened it.
        if not is_still_valid(tx, caller):
            raise NotFoundError("no-such-key", "The key is revoked or has expired.")
        return look(tx)

    events = follow(context, request, look_still, job_id=job_id, seen=seen)
    return StreamingResponse(
        _counted(context.streams, caller.key_id, events),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


async def follow(
    context: ServiceContext,
    request: Request,
    look: Callable[[Session], JobT],
    *,
    job_id: UUID,
    seen: str | None,
) -> AsyncIterator[str]:
    """Yield an event for each new state; ends after the final one, or where none may follow."""
    with context.changes.follow(job_id) as changes:
        while not await request.is_disconnected() and not context.changes.is_closing:
            changes.clear()
            try:
                state = await context.arun(look)
            except NotFoundError:
                return
            body = state.model_dump_json()
            event_id = hashlib.sha256(body.encode()).hexdigest()[:16]
            if event_id != seen:
                name = "end" if state.phase.is_final else "progress"
                yield f"id: {event_id}\nevent: {name}\ndata: {body}\n\n"
                seen = event_id
            if state.phase.is_final:
                return
            heard = time.monotonic()
            await changes.wait(KEEP_ALIVE_SECONDS)
            if time.monotonic() - heard >= KEEP_ALIVE_SECONDS:
                yield ": still here\n\n"
            await asyncio.sleep(CALM_SECONDS)


async def _counted(
    slots: StreamSlots, key_id: UUID, events: AsyncIterator[str]
) -> AsyncIterator[str]:
    with slots.taken(key_id):
        async for event in events:
            yield event
