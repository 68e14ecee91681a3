"""The asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import httpx

from hbmlc._async_resources import AsyncCalibrations, AsyncCatalogs, AsyncModels
from hbmlc._async_trainings import AsyncTrainings
from hbmlc._config import resolve_endpoint
from hbmlc._core import requests
from hbmlc._core.async_driver import AsyncDriver
from hbmlc._core.exchange import RetryPolicy
from hbmlc.schemas import Health, Readiness

__all__ = ["AsyncClient"]


class AsyncClient:
    """A connection to an hbmlc service.

    Parameters
    ----------
    url, api_key
        Address and key; by default from ``HBMLC_URL`` and ``HBMLC_API_KEY``, else those of the
        service that runs on this machine.
    timeout
        Seconds without a byte after which a request is given up.
    retry
        When and how often to try again.
    transport
        An ``httpx.AsyncClient`` to send through; the caller closes it. One is opened, and closed
        with this client, where none is given.
    sleep
        How to wait between attempts.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        retry: RetryPolicy | None = None,
        transport: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        endpoint = resolve_endpoint(url, api_key)
        self.url = endpoint.url
        """Address of the service."""
        self._owns_transport = transport is None
        self._transport = transport or httpx.AsyncClient()
        policy = retry or RetryPolicy()
        self._policy = policy
        self._driver = AsyncDriver(self._transport, endpoint, timeout=timeout, sleep=sleep)
        self.catalogs = AsyncCatalogs(self._driver, policy)
        """Uploaded catalogues."""
        self.calibrations = AsyncCalibrations(self._driver, policy)
        """Calibration jobs and their results."""
        self.models = AsyncModels(self._driver, policy)
        """Registered model versions."""
        self.trainings = AsyncTrainings(self._driver, policy)
        """Trainings of the account's own versions."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection, where this client opened it."""
        if self._owns_transport:
            await self._transport.aclose()

    async def health(self) -> Health:
        """Ask whether the service answers."""
        return await self._driver.run(requests.get("/healthz", Health, self._policy))

    async def readiness(self) -> Readiness:
        """Ask whether the parts that the service leans on work."""
        return await self._driver.run(requests.get("/readyz", Readiness, self._policy))
