"""Long polls: look again until something changed, the time is up or the caller hung up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Query, Request
from sqlalchemy.orm import Session

from hbmlc_service.context import ServiceContext

__all__ = ["LOOK_SECONDS", "Wait", "poll"]

LOOK_SECONDS = 0.2
"""Pause between two looks [s]; one look is one indexed row."""

Wait = Annotated[float, Query(ge=0, description="Seconds to wait for a change.")]
T = TypeVar("T")


async def poll(
    context: ServiceContext,
    request: Request,
    look: Callable[[Session], T],
    *,
    is_settled: Callable[[T], bool],
    wait: float,
) -> T:
    """Return what ``look`` sees once it is settled, or after ``wait`` seconds at the latest."""
    deadline = time.monotonic() + min(wait, context.settings.max_wait_seconds)
    while True:
        seen = await context.arun(look)
        if is_settled(seen) or time.monotonic() >= deadline or await request.is_disconnected():
            return seen
        await asyncio.sleep(LOOK_SECONDS)
