"""Long polls: look again when something changed, until the time is up or the caller hung up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Query, Request
from sqlalchemy.orm import Session

from hbmlc_service.context import ServiceContext

__all__ = ["CALM_SECONDS", "Wait", "poll"]

CALM_SECONDS = 0.1
"""Least time between two looks [s]: changes in bursts are seen as one."""
HANG_UP_SECONDS = 5.0
"""Longest wait before the caller is asked whether he is still there [s]."""

Wait = Annotated[float, Query(ge=0, description="Seconds to wait for a change.")]
T = TypeVar("T")


async def poll(
    context: ServiceContext,
    request: Request,
    look: Callable[[Session], T],
    *,
    object_id: UUID,
    is_settled: Callable[[T], bool],
    wait: float,
) -> T:
    """Return what ``look`` sees once it is settled, or after ``wait`` seconds at the latest."""
    deadline = time.monotonic() + min(wait, context.settings.max_wait_seconds)
    with context.changes.follow(object_id) as changes:
        while True:
            changes.clear()
            seen = await context.arun(look)
            left = deadline - time.monotonic()
            if is_settled(seen) or left <= 0 or context.changes.is_closing:
                return seen
            if await request.is_disconnected():
                return seen
            await changes.wait(min(left, HANG_UP_SECONDS))
            await asyncio.sleep(min(max(deadline - time.monotonic(), 0.0), CALM_SECONDS))
