"""The broker, as far as one may ask it: how much waits in a queue."""

from __future__ import annotations

import redis

from hbmlc_store.jobs.stages import Queue
from hbmlc_store.settings import Settings

__all__ = ["queue_length"]

TIMEOUT_SECONDS = 3.0


def queue_length(settings: Settings, queue: Queue) -> int:
    """Messages that wait in a queue and that no worker has taken yet.

    Raises
    ------
    redis.RedisError
        The broker does not answer.
    """
    with redis.Redis.from_url(
        settings.broker_url.get_secret_value(),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    ) as client:
        # Celery keeps a queue as a list of its name.
        return int(client.llen(queue.value))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the client is synchronous
