"""The keeper: relay and reaper in one process, of which any number may run."""

from __future__ import annotations

import signal
import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from hbmlc_store.database import Database
from hbmlc_store.idempotency import forget_old
from hbmlc_store.jobs.reaper import reap
from hbmlc_store.settings import Settings
from hbmlc_worker.app import create_celery
from hbmlc_worker.relay import run_relay

__all__ = ["run_keeper", "run_reaper"]

logger = structlog.get_logger(__name__)


def run_keeper(settings: Settings) -> None:
    """Relay and reap until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    database = Database(settings.database_url.get_secret_value(), pool_size=3)
    reaper = threading.Thread(
        target=run_reaper, args=(settings, database), kwargs={"stop": stop}, name="reaper"
    )
    reaper.start()
    run_relay(create_celery(settings), database, stop=stop)
    reaper.join()
    database.close()


def run_reaper(settings: Settings, database: Database, *, stop: threading.Event) -> None:
    """Look for lost units every few seconds."""
    while not stop.wait(settings.reap_seconds):
        try:
            requeued = reap(
                database,
                max_attempts=settings.max_attempts,
                stale_after=settings.stale_message_seconds,
            )
            with database.transaction() as tx:
                forget_old(tx)
        except SQLAlchemyError as exc:
            logger.warning("Reaper interrupted", error=str(exc))
        else:
            if requeued:
                logger.warning("Units queued again", n_units=requeued)
