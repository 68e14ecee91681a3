"""Performs the effects of a flow without blocking the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar, assert_never

import httpx

from hbmlc._config import Endpoint
from hbmlc._core.effects import (
    Effect,
    Flow,
    Inspect,
    Move,
    Outcome,
    ProgressCallback,
    Request,
    Send,
    Sleep,
    Store,
)
from hbmlc._core.http import (
    CHUNK_BYTES,
    failure,
    headers_for,
    inspect,
    open_part,
    to_answer,
)

__all__ = ["AsyncDriver"]

T = TypeVar("T")


class AsyncDriver:
    """Runs flows over an ``httpx.AsyncClient``."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        endpoint: Endpoint,
        *,
        timeout: float,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._client = client
        self._url = endpoint.url
        self._headers = headers_for(endpoint.api_key)
        self._timeout = timeout
        self._sleep = sleep

    async def run(self, flow: Flow[T]) -> T:
        """Perform all effects of a flow and return its result."""
        outcome: Outcome = None
        while True:
            try:
                effect = flow.send(outcome)
            except StopIteration as stop:
                return stop.value
            try:
                outcome = await self._perform(effect)
            except BaseException as error:
                flow.throw(error)
                raise

    async def _perform(self, effect: Effect) -> Outcome:
        match effect:
            case Send() | Store():
                try:
                    return await self._send(effect)
                except httpx.TimeoutException as error:
                    return failure(error, is_timeout=True)
                except httpx.TransportError as error:
                    return failure(error, is_timeout=False)
            case Sleep():
                await self._sleep(effect.seconds)
                return None
            case Inspect():
                return await asyncio.to_thread(inspect, effect.path, with_digest=effect.with_digest)
            case Move():
                await asyncio.to_thread(effect.source.replace, effect.destination)
                return None
            case _:
                assert_never(effect)

    async def _send(self, effect: Send | Store) -> Outcome:
        request = self._build(effect.request, effect.on_progress)
        is_download = isinstance(effect, Store)
        response = await self._client.send(request, stream=True, follow_redirects=is_download)
        try:
            if not isinstance(effect, Store) or not response.is_success:
                return to_answer(response, await response.aread())
            done, mode = open_part(effect.path, effect.offset, response.status_code)
            total = int(response.headers.get("content-length", 0)) + done
            with await asyncio.to_thread(effect.path.open, mode) as file:
                async for chunk in response.aiter_bytes():
                    await asyncio.to_thread(file.write, chunk)
                    done += len(chunk)
                    if effect.on_progress is not None:
                        effect.on_progress(done, total)
            return to_answer(response)
        finally:
            await response.aclose()

    def _build(self, request: Request, on_progress: ProgressCallback | None) -> httpx.Request:
        content = request.body
        if request.upload is not None:
            total = int(request.headers.get("Content-Length", 0))
            content = _chunks(request.upload, total, on_progress)
        return self._client.build_request(
            request.method,
            f"{self._url}{request.path}",
            params=dict(request.query),
            headers={**self._headers, **request.headers},
            content=content,
            timeout=self._timeout if request.timeout is None else request.timeout,
        )


async def _chunks(
    path: Path, total: int, on_progress: ProgressCallback | None
) -> AsyncIterator[bytes]:
    """Pieces of a file, read in a thread."""
    done = 0
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
            done += len(chunk)
            if on_progress is not None:
                on_progress(done, total)
