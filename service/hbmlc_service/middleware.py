"""What every request passes: its id, and the limit on its body."""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hbmlc_service.problems import ProblemError

__all__ = ["BodyLimit", "RequestId"]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CONTENT_PATH = re.compile(r"/v1/catalogs/[^/]+/content")


class RequestId:
    """Takes the caller's ``X-Request-ID`` or makes one, binds it to the logs and returns it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else secrets.token_hex(12)
        scope["hbmlc.request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_id)


class BodyLimit:
    """Refuses a body that is too long before anything parses it.

    Content of catalogues is exempt: it streams to the object store, which has a limit of its own.
    """

    def __init__(self, app: ASGIApp, *, max_json: int, max_multipart: int) -> None:
        self._app = app
        self._max_json = max_json
        self._max_multipart = max_multipart

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, its body counted as it arrives."""
        if scope["type"] != "http" or _CONTENT_PATH.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        is_multipart = Headers(scope=scope).get("content-type", "").startswith("multipart/")
        limit = self._max_multipart if is_multipart else self._max_json
        received = 0

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_large(limit)
            return message

        await self._app(scope, receive_bounded, send)


def _too_large(limit: int) -> ProblemError:
    return ProblemError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too-large",
        f"The body is longer than {limit} bytes; create the catalogue with JSON and send its "
        "content with PUT /v1/catalogs/{id}/content.",
        headers={"Connection": "close"},
    )
