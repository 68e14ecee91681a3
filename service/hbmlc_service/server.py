"""The HTTP server: uvicorn with deadlines for those who connect and say nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import FrameType

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from hbmlc_store.settings import Settings

__all__ = ["make_server"]

REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


def make_server(app: FastAPI, settings: Settings, *, on_exit: Callable[[], None]) -> uvicorn.Server:
    """Make the server; ``on_exit`` is called at the first signal, before connections are closed."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        http=_protocol(settings),
        ws="none",
        timeout_keep_alive=5,
        h11_max_incomplete_event_size=32 * 1024,
        # Waits end at the signal; what is left after this is a transfer.
        timeout_graceful_shutdown=10,
    )
    return _Server(config, on_exit)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_exit: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_exit = on_exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal to stop."""
        self._on_exit()
        super().handle_exit(sig, frame)


def _protocol(settings: Settings) -> type[H11Protocol]:
    class Bounded(_BoundedProtocol):
        max_connections = settings.max_connections
        head_seconds = settings.head_seconds

    return Bounded


class _BoundedProtocol(H11Protocol):
    """HTTP/1.1 that does not wait for a request's head for ever, nor hold any number of sockets."""

    max_connections: int
    head_seconds: float
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # pyright: ignore[reportArgumentType] - a TCP transport
        if len(self.connections) > self.max_connections:
            self.transport.write(REFUSAL)
            self.transport.close()
            return
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._start_timer()
        else:
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _start_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()
