"""The janitor of a worker: looks after its pool processes, its disk and its own liveliness.

It is a thread of the worker's main process, which computes nothing unless it is a solo worker.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

import psutil
import structlog
from celery import signals
from sqlalchemy import exists, select

from hbmlc_store.broker import queue_length
from hbmlc_store.database import Database
from hbmlc_store.jobs.owned import active_digests
from hbmlc_store.jobs.reaper import bury
from hbmlc_store.jobs.stages import Queue
from hbmlc_store.jobs.units import give_back_all_of
from hbmlc_store.schema import UnitRow
from hbmlc_store.settings import Settings
from hbmlc_worker.catalog_files import forget_unused, kept_digests
from hbmlc_worker.context import worker_name
from hbmlc_worker.draining import DRAINING, drain_pool
from hbmlc_worker.scratch import sweep

__all__ = ["Janitor", "install_janitor"]

CHILD_SECONDS = 0.5
"""Pause between two looks at the pool processes."""
STUCK_LOOK_SECONDS = 2.0
DISK_SECONDS = 30.0
GIVE_BACK_SECONDS = 3.0
"""How long a stop waits for the database."""
STUCK_STATUS = 70
"""Exit status of a worker that lives and consumes nothing (EX_SOFTWARE)."""

logger = structlog.get_logger(__name__)


def install_janitor(settings: Settings, queue: Queue) -> Janitor:
    """Make a janitor that starts with the worker, and gives its units back when it stops."""
    janitor = Janitor(settings, queue)

    def start(**_: object) -> None:
        for number in (signal.SIGQUIT, signal.SIGINT):
            _give_back_before(number, janitor)
        janitor.start()

    def drain(**_: object) -> None:
        drain_pool()

    signals.worker_ready.connect(start, weak=False)
    signals.worker_shutting_down.connect(drain, weak=False)
    return janitor


def _give_back_before(number: signal.Signals, janitor: Janitor) -> None:
    """Give everything back before Celery hears a signal at which it kills its pool.

    Celery tells of such a stop only when the processes are dead, and by then they look like lost
    ones.
    """
    celerys = signal.getsignal(number)

    def stop(received: int, frame: FrameType | None) -> None:
        drain_pool()
        # In a thread: what the signal interrupted may hold a lock of the database's driver.
        helper = threading.Thread(target=janitor.give_back)
        helper.start()
        helper.join(GIVE_BACK_SECONDS)
        if callable(celerys):
            celerys(received, frame)

    signal.signal(number, stop)


class Janitor:
    """Watches one worker."""

    def __init__(self, settings: Settings, queue: Queue) -> None:
        self._settings = settings
        self._queue = queue
        self._prefix = worker_name(settings)
        # Its connections are closed after each use: a pool process that is forked meanwhile must
        # not inherit one.
        self._database = Database(settings.database_url.get_secret_value(), keeps_none=True)
        self._children: set[int] = set()
        self._idle_since = time.monotonic()

    def start(self) -> None:
        """Start to look after the worker."""
        threading.Thread(target=self._run, name="janitor", daemon=True).start()

    def give_back(self) -> None:
        """Give back whatever processes of this worker hold."""
        self._safely("give back", self._give_back_all)

    def _run(self) -> None:
        rounds: list[tuple[float, str, Callable[[], None]]] = [
            (CHILD_SECONDS, "pool processes", self.mourn_children),
            (STUCK_LOOK_SECONDS, "liveliness", self.end_if_stuck),
            (DISK_SECONDS, "disk", self.clear_disk),
        ]
        due = {name: 0.0 for _, name, _ in rounds}
        while not DRAINING.wait(CHILD_SECONDS):
            for seconds, name, action in rounds:
                if time.monotonic() >= due[name]:
                    due[name] = time.monotonic() + seconds
                    self._safely(name, action)

    def _safely(self, name: str, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as exc:  # noqa: BLE001 - the janitor outlives whatever goes wrong
            logger.warning("Janitor interrupted", at=name, error=type(exc).__name__)

    def mourn_children(self) -> None:
        """Queue again at once what a pool process held that was killed."""
        alive = {child.pid for child in psutil.Process().children()}
        dead, self._children = self._children - alive, alive
        for pid in dead:
            name = f"{self._prefix}{pid}"
            if self._hold_any([name]):
                logger.warning("Pool process died at work", worker=name)
                bury(
                    self._database,
                    name,
                    max_attempts=self._settings.max_attempts,
                    stale_after=self._settings.stale_message_seconds,
                )

    def end_if_stuck(self) -> None:
        """End a worker that lives and consumes nothing, as is known of consumers after a reset."""
        try:
            # Mostly the queue is empty, and the database need not be asked.
            is_full = queue_length(self._settings, self._queue) > 0
            is_idle = is_full and not self._hold_any(self._names())
        except Exception:
            # While database or broker are away nobody can take anything.
            self._idle_since = time.monotonic()
            raise
        if not is_idle:
            self._idle_since = time.monotonic()
        elif time.monotonic() - self._idle_since > self._settings.stuck_seconds:
            logger.error("Worker takes nothing from its queue; it ends", queue=self._queue.value)
            os._exit(STUCK_STATUS)

    def clear_disk(self) -> None:
        """Delete copies of catalogues that no job works on, and scratch that nobody holds."""
        sweep(self._settings.scratch)
        if kept := kept_digests(self._settings):
            with self._database.transaction() as tx:
                used = active_digests(tx, kept)
            if n_forgotten := forget_unused(self._settings, used=used):
                logger.info("Copies of catalogues deleted", n_files=n_forgotten)

    def _hold_any(self, workers: list[str]) -> bool:
        held = exists().where(UnitRow.state == "RUNNING", UnitRow.worker.in_(workers))
        with self._database.transaction() as tx:
            return bool(tx.scalar(select(held)))

    def _give_back_all(self) -> None:
        give_back_all_of(self._database, self._names())

    def _names(self) -> list[str]:
        return [f"{self._prefix}{pid}" for pid in {os.getpid(), *self._children}]
