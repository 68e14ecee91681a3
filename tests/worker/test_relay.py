"""The relay and a real Celery worker over a real broker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
import redis

from hbmlc_store.database import Database
from hbmlc_store.outbox import oldest_message
from hbmlc_store.settings import Settings
from hbmlc_worker.app import create_celery
from hbmlc_worker.relay import publish_waiting, run_relay

PATIENCE = 20.0


def test_a_waiting_message_reaches_its_queue(
    settings: Settings, database: Database, queues: redis.Redis, job: UUID
) -> None:
    published = publish_waiting(create_celery(settings), database)

    # The ingest of the catalogue and the survey of the calibration.
    assert published == 2
    assert (queues.llen("ingest"), queues.llen("cpu")) == (1, 1)
    with database.transaction() as tx:
        assert oldest_message(tx) is None


def test_a_running_relay_forwards_what_is_committed_later(
    settings: Settings,
    database: Database,
    queues: redis.Redis,
    account: UUID,
    make_job: Callable[[UUID], UUID],
) -> None:
    stop = threading.Event()
    relay = threading.Thread(
        target=run_relay, args=(create_celery(settings), database), kwargs={"stop": stop}
    )
    relay.start()
    try:
        make_job(account)

        arrived = [queues.blpop(name, timeout=PATIENCE) for name in ("ingest", "cpu")]
    finally:
        stop.set()
        relay.join(PATIENCE)

    assert all(arrived)
    assert not relay.is_alive()


def test_messages_outlive_a_broker_that_is_down(
    settings: Settings, database: Database, queues: redis.Redis, job: UUID
) -> None:
    from kombu.exceptions import OperationalError
    from pydantic import SecretStr

    dead = settings.model_copy(update={"broker_url": SecretStr("redis://127.0.0.1:1/0")})
    with pytest.raises(OperationalError):
        publish_waiting(create_celery(dead), database)

    assert publish_waiting(create_celery(settings), database) == 2
