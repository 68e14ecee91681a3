"""Performs the effects of a flow, blocking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
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

__all__ = ["SyncDriver"]

T = TypeVar("T")


class SyncDriver:
    """Runs flows over an ``httpx.Client``."""

    def __init__(
        self,
        client: httpx.Client,
        endpoint: Endpoint,
        *,
        timeout: float,
        sleep: Callable[[float], None],
    ) -> None:
        self._client = client
        self._url = endpoint.url
        self._headers = headers_for(endpoint.api_key)
        self._timeout = timeout
        self._sleep = sleep

    def run(self, flow: Flow[T]) -> T:
        """Perform all effects of a flow and return its result."""
        outcome: Outcome = None
        while True:
            try:
                effect = flow.send(outcome)
            except StopIteration as stop:
                return stop.value
            try:
                outcome = self._perform(effect)
            except BaseException as error:
                flow.throw(error)
                raise

    def _perform(self, effect: Effect) -> Outcome:
        match effect:
            case Send() | Store():
                try:
                    return self._send(effect)
                except httpx.TimeoutException as error:
                    return failure(error, is_timeout=True)
                except httpx.TransportError as error:
                    return failure(error, is_timeout=False)
            case Sleep():
                return self._sleep(effect.seconds)
            case Inspect():
                return inspect(effect.path, with_digest=effect.with_digest)
            case Move():
                effect.source.replace(effect.destination)
                return None
            case _:
                assert_never(effect)

    def _send(self, effect: Send | Store) -> Outcome:
        request = self._build(effect.request, effect.on_progress)
        is_download = isinstance(effect, Store)
        response = self._client.send(request, stream=True, follow_redirects=is_download)
        with closing(response):
            if not isinstance(effect, Store) or not response.is_success:
                return to_answer(response, response.read())
            done, mode = open_part(effect.path, effect.offset, response.status_code)
            total = int(response.headers.get("content-length", 0)) + done
            with effect.path.open(mode) as file:
                for chunk in response.iter_bytes():
                    file.write(chunk)
                    done += len(chunk)
                    if effect.on_progress is not None:
                        effect.on_progress(done, total)
            return to_answer(response)

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


def _chunks(path: Path, total: int, on_progress: ProgressCallback | None) -> Iterator[bytes]:
    """Pieces of a file."""
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
            done += len(chunk)
            if on_progress is not None:
                on_progress(done, total)
