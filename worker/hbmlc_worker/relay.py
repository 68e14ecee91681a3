"""The relay: hands messages from the outbox to the broker, within milliseconds of their commit."""

from __future__ import annotations

import threading

import psycopg
import structlog
from celery import Celery
from kombu.exceptions import OperationalError as BrokerDown
from sqlalchemy.exc import SQLAlchemyError

from hbmlc_store.database import Database
from hbmlc_store.outbox import CHANNEL, publish_batch
from hbmlc_store.schema import JsonObject
from hbmlc_worker.app import TASK_NAME

__all__ = ["publish_waiting", "run_relay"]

IDLE_SECONDS = 0.5
"""Longest wait for a notification: one may be missed while the relay reconnects."""
RETRY_SECONDS = 1.0

logger = structlog.get_logger(__name__)


def run_relay(app: Celery, database: Database, *, stop: threading.Event) -> None:
    """Publish until ``stop`` is set; outages of database or broker are waited out."""
    while not stop.is_set():
        try:
            _listen_and_publish(app, database, stop)
        except (psycopg.Error, SQLAlchemyError, BrokerDown, OSError) as exc:
            logger.warning("Relay interrupted", error=str(exc))
            stop.wait(RETRY_SECONDS)


def _listen_and_publish(app: Celery, database: Database, stop: threading.Event) -> None:
    dsn = database.url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(dsn, autocommit=True) as listener, app.connection_for_write() as broker:
        listener.execute(f"LISTEN {CHANNEL}")
        while not stop.is_set():
            publish_waiting(app, database, broker)
            for _ in listener.notifies(timeout=IDLE_SECONDS, stop_after=1):
                pass


def publish_waiting(app: Celery, database: Database, broker: object = None) -> int:
    """Publish everything that waits now; returns how many messages."""

    def publish(queue: str, payload: JsonObject) -> None:
        app.send_task(TASK_NAME, kwargs=payload, queue=queue, connection=broker, retry=False)

    total = 0
    while True:
        with database.transaction() as tx:
            published = publish_batch(tx, publish)
        if not published:
            return total
        total += published
