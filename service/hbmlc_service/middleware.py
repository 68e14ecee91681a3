"""What every request passes first: its id, its line in the log, and the last word on failures."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import time
from typing import Protocol

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hbmlc_service.problems import answer_error, answer_failure, shown

__all__ = ["Count", "RequestScope"]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines; their lines would drown all others."""

LINGER_SECONDS = 2.0
LINGER_BYTES = 64 * 2**20
"""What is thrown away of a refused body, so that its sender hears why."""
MAX_PATH = 200
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

logger = structlog.get_logger("hbmlc_service.access")


def _shown_path(scope: Scope) -> str:
    return shown(scope["path"], length=MAX_PATH)


async def _throw_away(receive: Receive) -> None:
    thrown = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while thrown < LINGER_BYTES:
                message = await receive()
                thrown += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


class Count(Protocol):
    """Counts an answered request."""

    def __call__(self, *, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count one."""
        ...


class RequestScope:
    """Takes the caller's ``X-Request-ID`` or makes one, binds it to the logs and returns it.

    A failure that nobody expected becomes a problem document here, inside the request's scope: so
    it has the id, and so has its line in the log. The connection is closed afterwards, since nobody
    knows how much of the request was read.
    """

    def __init__(self, app: ASGIApp, *, count: Count) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else secrets.token_hex(12)
        scope["hbmlc.request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await _Exchange(self._app, scope, receive, send, count=self._count).serve()
            finally:
                # The gate binds them once it knows who calls.
                structlog.contextvars.unbind_contextvars("actor", "account_id")


class _Exchange:
    """One request and its answer."""

    def __init__(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, *, count: Count
    ) -> None:
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._count = count
        self._status: int | None = None
        self._started = time.monotonic()

    async def serve(self) -> None:
        """Serve it to the end, whatever happens."""
        try:
            await self._app(self._scope, self._receive, self._send_noted)
        except Exception as error:  # noqa: BLE001 - every failure gets its answer and its line
            await self._fail(error)
        finally:
            self._log()

    async def _fail(self, error: Exception) -> None:
        if isinstance(error, ClientDisconnect):
            # Nobody is there to be answered, and nothing of ours has failed.
            logger.info("Client hung up")
            return
        if self._status is not None:
            # The answer is on its way; only breaking it off tells the client that it is not whole.
            logger.error("Answer broke off", exc_info=error)
            raise error
        answer = answer_error(error, self._scope)
        if answer is None:
            logger.error("Request failed", exc_info=error, path=_shown_path(self._scope))
            answer = answer_failure(self._scope)
        try:
            await self._answer_early(answer)
        except Exception as exc:  # noqa: BLE001 - whatever the server raises, nobody hears us
            # The connection is closed, or the server has answered a malformed request by itself.
            logger.info("Caller could not be answered", error=type(exc).__name__)

    async def _answer_early(self, answer: Response) -> None:
        """Answer a request that may be half read.

        Closing on a client that still sends resets the connection, and the answer is lost on its
        way; so what comes is taken and thrown away for a moment.
        """
        start: Message = {
            "type": "http.response.start",
            "status": answer.status_code,
            "headers": answer.raw_headers,
        }
        await self._send_noted(start)
        body = {"type": "http.response.body", "body": answer.body, "more_body": True}
        await self._send_noted(body)
        if "expect" not in Headers(scope=self._scope):
            await _throw_away(self._receive)
        await self._send_noted({"type": "http.response.body", "body": b""})

    async def _send_noted(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._scope["hbmlc.request_id"]
            if "authorization" in Headers(scope=self._scope):
                # What a key may see is for its holder: no cache on the way keeps it.
                headers.setdefault("Cache-Control", "no-store")
        await self._send(message)

    def _log(self) -> None:
        path = self._scope["path"]
        seconds = time.monotonic() - self._started
        self._count(
            method=self._scope["method"] if self._scope["method"] in METHODS else "other",
            route=getattr(self._scope.get("route"), "path", None),
            status=self._status or 0,
            seconds=seconds,
        )
        log = logger.debug if path in PROBES else logger.info
        log(
            "Request answered",
            method=self._scope["method"],
            path=_shown_path(self._scope),
            status=self._status,
            seconds=round(seconds, 3),
        )
