"""The gate: who calls and how much they may send, settled before a byte of the body is read."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hbmlc_service.problems import ProblemError
from hbmlc_store.accounts import Identity
from hbmlc_store.operators import Operator
from hbmlc_store.settings import Settings

__all__ = ["Gate"]

Recognise = Callable[[str], Identity | Operator | None]

_CONTENT_PATH = re.compile(r"/v1/catalogs/[^/]+/content")
_FORM_PATH = "/v1/catalogs"
_CLOSE = {"Connection": "close"}


class Gate:
    """Lets a request to ``/v1`` or ``/admin/v1`` pass once its key is known and its body bounded.

    Each route has a limit of its own: a form with a file where one is taken, a stream where content
    is put, and a short document everywhere else. A body that stalls ends the connection.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings, recognise: Recognise) -> None:
        self._app = app
        self._settings = settings
        self._recognise = recognise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it unread."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["path"].startswith(("/v1/", "/admin/", "/metrics")):
            identity = await self._identify(headers)
            structlog.contextvars.bind_contextvars(actor=identity.actor, **_account_of(identity))
            scope["hbmlc.identity"] = replace(identity, request_id=scope["hbmlc.request_id"])
        limit = self._limit_of(scope, headers)
        _check_announced(headers, limit)
        await self._app(scope, self._bounded(receive, limit), send)

    async def _identify(self, headers: Headers) -> Identity | Operator:
        said = headers.getlist("authorization")
        # Two of them: somebody on the way may have gone by the other one.
        key = _bearer_of(said[0]) if len(said) == 1 else None
        identity = None if key is None else await run_in_threadpool(self._recognise, key)
        if identity is None:
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED,
                "unauthorized",
                "Send a valid API key as 'Authorization: Bearer hbk_…'.",
                headers={"WWW-Authenticate": "Bearer", **_CLOSE},
            )
        return identity

    def _limit_of(self, scope: Scope, headers: Headers) -> int:
        method, path = scope["method"], scope["path"]
        if method == "PUT" and _CONTENT_PATH.fullmatch(path):
            return self._settings.max_upload_bytes
        is_form = headers.get("content-type", "").lower().startswith("multipart/form-data")
        if method == "POST" and path == _FORM_PATH and is_form:
            return self._settings.max_inline_bytes
        return self._settings.max_body_bytes

    def _bounded(self, receive: Receive, limit: int) -> Receive:
        settings = self._settings
        started = time.monotonic()
        received = 0
        is_whole = False

        async def receive_bounded() -> Message:
            nonlocal received, is_whole
            if is_whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), settings.stall_seconds)
            except TimeoutError as exc:
                raise _too_slow() from exc
            received += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if received > limit:
                raise _too_large(limit)
            spent = time.monotonic() - started
            if not is_whole and received < settings.min_body_rate * (
                spent - settings.stall_seconds
            ):
                raise _too_slow()
            return message

        return receive_bounded


def _bearer_of(header: str) -> str | None:
    """Key in an ``Authorization`` header; ``None`` where it holds none."""
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key.strip() else None


def _account_of(identity: Identity | Operator) -> dict[str, str]:
    return {"account_id": str(identity.account_id)} if isinstance(identity, Identity) else {}


def _check_announced(headers: Headers, limit: int) -> None:
    length = headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 18 or int(length) > limit):  # noqa: PLR2004 - exabytes
        raise _too_large(limit)


def _too_large(limit: int) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        f"The body is longer than the {limit} bytes that this address takes; create a large "
        "catalogue with JSON and send its content with PUT /v1/catalogs/{id}/content.",
        headers=_CLOSE,
    )


def _too_slow() -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_TIMEOUT,
        "body-too-slow",
        "The body stopped coming, or came too slowly; send it again.",
        headers=_CLOSE,
    )
