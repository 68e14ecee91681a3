"""A client on a service in memory; nothing sleeps."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_service import API_KEY, FakeService

from hbmlc.async_client import AsyncClient
from hbmlc.client import Client

URL = "http://service.test"


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def naps() -> list[float]:
    """Seconds that the client would have slept."""
    return []


class _Blocking:
    """The asynchronous client behind the face of the blocking one, for tests of both."""

    def __init__(self, make: Callable[[], AsyncClient]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return _Blocking(lambda: getattr(self._make(), name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        async def run() -> Any:
            found = self._make()(*args, **kwargs)  # type: ignore[operator]
            if inspect.isasyncgen(found):
                return [item async for item in found]
            return await found

        return asyncio.run(run())


@pytest.fixture(params=["blocking", "asynchronous"])
def client(
    request: pytest.FixtureRequest, service: FakeService, naps: list[float]
) -> Iterator[Client]:
    if request.param == "blocking":
        with httpx.Client(transport=service.transport()) as transport:
            yield Client(URL, api_key=API_KEY, transport=transport, sleep=naps.append)
        return

    async def nap(seconds: float) -> None:
        naps.append(seconds)

    def make() -> AsyncClient:
        transport = httpx.AsyncClient(transport=service.transport())
        return AsyncClient(URL, api_key=API_KEY, transport=transport, sleep=nap)

    yield _Blocking(make)  # type: ignore[misc]


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    path = tmp_path / "galaxies.csv"
    path.write_bytes(b"id,mag_g,mag_err_g\n" * 50_000)
    return path
