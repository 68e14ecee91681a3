"""Changes as they commit: one LISTEN a process, handed on to whoever follows the object.

The database announces the id of a job or catalogue that changed (triggers of migration 0003). While
the listener is cut off, followers look for themselves every second.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import psycopg
import structlog

__all__ = ["CHANNEL", "Changes", "Subscription"]

CHANNEL = "hbmlc_changes"
BLIND_SECONDS = 1.0
"""Pause between two looks of a follower while nothing is announced."""
RETRY_SECONDS = 1.0
PROBE_SECONDS = 30.0
"""A listener that heard nothing for so long asks whether its connection still lives."""

logger = structlog.get_logger(__name__)


class Subscription:
    """One follower's ear; ``clear`` before a look, ``wait`` after it, and nothing is missed."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._event = asyncio.Event()

    def clear(self) -> None:
        """Forget what was heard so far."""
        self._event.clear()

    async def wait(self, seconds: float) -> None:
        """Wait until the object changes, the service stops or the time is up."""
        bound = seconds if self._changes.is_live else min(seconds, BLIND_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), bound)

    def wake(self) -> None:
        """End the present wait."""
        self._event.set()


class Changes:
    """Who follows what in this process."""

    def __init__(self, url: str) -> None:
        self._dsn = url.replace("postgresql+psycopg://", "postgresql://")
        self._subscriptions: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.is_live = False
        """Whether changes are heard at this moment."""
        self.is_closing = False
        """Whether the service stops, so that nobody should wait any longer."""

    @contextmanager
    def follow(self, object_id: UUID) -> Generator[Subscription]:
        """Follow a job or a catalogue."""
        subscription = Subscription(self)
        self._subscriptions[str(object_id)].add(subscription)
        try:
            yield subscription
        finally:
            followers = self._subscriptions[str(object_id)]
            followers.discard(subscription)
            if not followers:
                del self._subscriptions[str(object_id)]

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Listen while the block runs."""
        self._loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._listen_always())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def close(self) -> None:
        """End every wait; may be called from a signal handler."""
        self.is_closing = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake_all)

    async def _listen_always(self) -> None:
        while True:
            try:
                await self._listen()
            except psycopg.Error as exc:
                logger.warning("Changes are not heard", error=type(exc).__name__)
            self.is_live = False
            self._wake_all()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, connect_timeout=5, keepalives_idle=10
        )
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self.is_live = True
            # What happened before this moment was not heard.
            self._wake_all()
            while True:
                async for note in connection.notifies(timeout=PROBE_SECONDS):
                    for subscription in self._subscriptions.get(note.payload, ()):
                        subscription.wake()
                await connection.execute("SELECT 1")

    def _wake_all(self) -> None:
        for followers in self._subscriptions.values():
            for subscription in followers:
                subscription.wake()
