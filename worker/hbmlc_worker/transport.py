"""The way to the broker, held to what happens when the broker goes away.

A message is acknowledged over a connection that may just have broken. Kombu then keeps counting
the message as being worked on: a worker that takes one at a time takes no other, never reads from
its connection, and so never learns that it is gone.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual

__all__ = ["Transport", "use_transport"]


class _QoS(redis.QoS):
    """Counts what is being worked on."""

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message; it is over for this worker, whether the broker hears of it or not.

        One that the broker still has comes again and finds nothing to claim.
        """
        try:
            super().ack(delivery_tag)
        except Exception:
            self._forget(delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's interface
        """Hand a message back; it is over for this worker all the same."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception:
            self._forget(delivery_tag)
            raise

    def _forget(self, delivery_tag: str) -> None:
        virtual.QoS.ack(self, delivery_tag)


class _Channel(redis.Channel):
    """A channel with our counting."""

    QoS: Any = _QoS


class Transport(redis.Transport):
    """Redis, as Celery knows it, that goes on after an acknowledgement has failed."""

    Channel: Any = _Channel


def use_transport() -> None:
    """Let addresses of the Redis protocol mean this transport; named in settings, it loses TLS."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"
