"""The pulse of a task: renews the leases of its units and stops it when they are lost.

A task computes for minutes inside one call. A thread renews the leases meanwhile; when a job was
aborted, or the unit went to another worker, it signals the main thread, whose handler raises
``LostClaimError`` out of whatever runs there; when the worker is being stopped, ``DrainError``.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

from hbmlc_store.errors import LostClaimError
from hbmlc_store.jobs.units import Claim, renew_lease
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.draining import DRAINING

__all__ = ["DrainError", "Pulse"]

LONGEST_PAUSE = 2.0
"""Seconds between two beats at most, so that an abort is felt soon."""

LOOK_PAUSE = 0.1
"""Seconds between two looks whether to stop the main thread, and between two tries to do so."""

# Celery keeps SIGUSR1 for its own time limits.
_STOP_SIGNAL = signal.SIGUSR2

logger = structlog.get_logger(__name__)


class DrainError(Exception):
    """The worker is being stopped; its units go back to the queue, whole and uncounted."""


class Pulse:
    """Holds claims while the block runs; in the main thread it also ends the block early."""

    def __init__(self, context: WorkerContext, claims: Sequence[Claim]) -> None:
        self._context = context
        self._fractions = dict.fromkeys(claims, 0.0)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._is_lost = False
        self._is_armed = False
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)
        self._former_handler: object = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._former_handler = signal.signal(_STOP_SIGNAL, self._interrupt)
            self._is_armed = True
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        was_armed, self._is_armed = self._is_armed, False
        self._stop.set()
        self._thread.join()
        if was_armed:
            signal.signal(_STOP_SIGNAL, self._former_handler)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def report(self, claim: Claim, fraction: float) -> None:
        """Note how much of a unit is done; the next beat writes it down.

        Raises
        ------
        LostClaimError
            The claims are lost.
        """
        with self._lock:
            if claim in self._fractions:
                self._fractions[claim] = fraction
        self.check()

    def release(self, claim: Claim) -> None:
        """Stop renewing a claim that is about to be completed."""
        with self._lock:
            self._fractions.pop(claim, None)

    def check(self) -> None:
        """Raise ``LostClaimError`` if the claims are lost, ``DrainError`` if the worker stops."""
        if DRAINING.is_set():
            raise DrainError
        if self._is_lost:
            raise LostClaimError("lost-claim", "The job was aborted or its lease ran out.")

    def _beat(self) -> None:
        pause = min(self._context.settings.lease_seconds / 4, LONGEST_PAUSE)
        due = time.monotonic() + pause
        while not self._stop.wait(LOOK_PAUSE):
            # Also while the worker stops: the task may be in a call that cannot be broken off, and
            # until it is out of it the unit is held and no worker was lost.
            if time.monotonic() >= due and not self._is_lost:
                self._is_lost = not self._renew_all()
                due = time.monotonic() + pause
            if self._is_armed and (self._is_lost or DRAINING.is_set()):
                os.kill(os.getpid(), _STOP_SIGNAL)

    def _renew_all(self) -> bool:
        """Renew what is held; False where it is lost."""
        with self._lock:
            held = dict(self._fractions)
        try:
            return self._renew(held)
        except SQLAlchemyError:
            # The lease outlives a short outage; past that the reaper and the fence decide.
            logger.warning("Lease not renewed", exc_info=True)
            return True

    def _renew(self, held: dict[Claim, float]) -> bool:
        lease = self._context.settings.lease_seconds
        for claim, fraction in held.items():
            with self._context.database.transaction() as tx:
                is_held = renew_lease(tx, claim, lease=lease, fraction=fraction)
            with self._lock:
                # A claim that was completed between the two looks is no loss.
                if not is_held and claim in self._fractions:
                    return False
        return True

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        del number
        # A module whose import breaks off stays behind half made and fails whoever imports it
        # next; the thread signals again, until the import is over.
        if self._is_armed and not _is_importing(frame):
            self.check()


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
