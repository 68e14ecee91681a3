"""The broker, as far as one may ask it: whether it answers, and how much waits in a queue."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hbmlc_store.jobs.stages import Queue
from hbmlc_store.settings import Settings

if TYPE_CHECKING:
    import redis

__all__ = ["ask_broker", "queue_length"]

TIMEOUT_SECONDS = 3.0


@contextmanager
def ask_broker(settings: Settings) -> Generator[redis.Redis]:
    """Open a connection for a question: it is answered within seconds, or an error at once."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    with redis.Redis.from_url(
        settings.broker_url.get_secret_value(),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    ) as client:
        yield client


def queue_length(settings: Settings, queue: Queue) -> int:
    """Messages that wait in a queue and that no worker has taken yet.

    Raises
    ------
    redis.RedisError
        The broker does not answer.
    """
    with ask_broker(settings) as client:
        # Celery keeps a queue as a list of its name.
        return int(client.llen(queue.value))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the client is synchronous
