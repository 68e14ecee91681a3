"""The keeper: carries messages, revives what was lost and clears away, in one process.

Any number of keepers may run; each skips what another holds.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from hbmlc_store.broker import queue_length
from hbmlc_store.database import Database
from hbmlc_store.idempotency import forget_old
from hbmlc_store.jobs.reaper import announce_idle, extend_leases, reap
from hbmlc_store.jobs.stages import Queue
from hbmlc_store.objects import Objects
from hbmlc_store.purges import purge_waiting
from hbmlc_store.settings import Settings
from hbmlc_store.sweeper import sweep
from hbmlc_worker.app import create_celery
from hbmlc_worker.relay import run_relay

__all__ = ["Duty", "Keeper", "repeat", "run_keeper"]

PURGE_SECONDS = 1.0
DRAFT_SECONDS = 5.0

logger = structlog.get_logger(__name__)


def run_keeper(settings: Settings) -> None:
    """Keep until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    database = Database(settings.database_url.get_secret_value(), pool_size=5)
    keeper = Keeper(settings, database, Objects.of(settings))
    threads = [
        threading.Thread(target=repeat, args=(duty,), kwargs={"stop": stop}, name=duty.name)
        for duty in keeper.duties()
    ]
    for thread in threads:
        thread.start()
    run_relay(create_celery(settings), database, stop=stop)
    for thread in threads:
        thread.join()
    database.close()


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that is done again and again."""

    name: str
    seconds: float
    """Pause between two rounds."""
    act: Callable[[], None]


def repeat(duty: Duty, *, stop: threading.Event) -> None:
    """Do a duty until ``stop`` is set; no error ends it."""
    while not stop.wait(duty.seconds):
        try:
            duty.act()
        except Exception as exc:  # noqa: BLE001 - a keeper that stops keeping is the worst failure
            logger.warning("Duty interrupted", duty=duty.name, error=type(exc).__name__)


class Keeper:
    """The duties beside carrying messages."""

    def __init__(self, settings: Settings, database: Database, objects: Objects) -> None:
        self._settings = settings
        self._database = database
        self._objects = objects
        self._was_out = False

    def duties(self) -> list[Duty]:
        """What is to be done, and how often."""
        return [
            Duty("reap", self._settings.reap_seconds, self.reap),
            Duty("purge", PURGE_SECONDS, self.purge),
            Duty("drafts", DRAFT_SECONDS, self.sweep_drafts),
            Duty("sweep", self._settings.sweep_seconds, self.sweep),
        ]

    def reap(self) -> None:
        """Revive the units of lost workers and of forgetful brokers."""
        settings = self._settings
        try:
            if self._was_out:
                # Workers could not renew while the database was away; they get time to do so.
                extend_leases(self._database, seconds=settings.lease_seconds)
                self._was_out = False
            found = reap(
                self._database,
                max_attempts=settings.max_attempts,
                stale_after=settings.stale_message_seconds,
            )
        except SQLAlchemyError:
            self._was_out = True
            raise
        n_idle = sum(self._announce_idle(queue) for queue in Queue)
        if found.n_requeued or found.n_announced or n_idle:
            logger.warning(
                "Units queued again",
                n_lost=found.n_requeued,
                n_stale=found.n_announced,
                n_forgotten=n_idle,
                job_ids=sorted(str(job_id) for job_id in found.job_ids),
            )
        with self._database.transaction() as tx:
            forget_old(tx)

    def purge(self) -> None:
        """Delete the objects that their rows let go of."""
        purge_waiting(self._database, self._objects)

    def sweep_drafts(self) -> None:
        """Delete the halves of objects that killed processes left."""
        n_deleted = self._objects.sweep_drafts(older_than=DRAFT_SECONDS)
        if n_deleted:
            logger.warning("Drafts deleted", n_objects=n_deleted)

    def sweep(self) -> None:
        """Delete the objects that no row names."""
        n_deleted = sweep(self._database, self._objects, older_than=self._settings.orphan_seconds)
        if n_deleted:
            logger.warning("Orphans deleted", n_objects=n_deleted)

    def _announce_idle(self, queue: Queue) -> int:
        try:
            if queue_length(self._settings, queue):
                return 0
        except RedisError:
            # While the broker is down the outbox keeps what is to be said.
            return 0
        return announce_idle(self._database, queue, after=self._settings.idle_message_seconds)
