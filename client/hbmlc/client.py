"""The blocking client."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import httpx

from hbmlc._config import resolve_endpoint
from hbmlc._core import requests
from hbmlc._core.exchange import RetryPolicy
from hbmlc._core.sync_driver import SyncDriver
from hbmlc._resources import Calibrations, Catalogs, Models
from hbmlc._trainings import Trainings
from hbmlc.schemas import Health, Readiness

__all__ = ["Client"]


class Client:
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
        An ``httpx.Client`` to send through; the caller closes it. One is opened, and closed with
        this client, where none is given.
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
        transport: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        endpoint = resolve_endpoint(url, api_key)
        self.url = endpoint.url
        """Address of the service."""
        self._owns_transport = transport is None
        self._transport = transport or httpx.Client()
        policy = retry or RetryPolicy()
        self._policy = policy
        self._driver = SyncDriver(self._transport, endpoint, timeout=timeout, sleep=sleep)
        self.catalogs = Catalogs(self._driver, policy)
        """Uploaded catalogues."""
        self.calibrations = Calibrations(self._driver, policy)
        """Calibration jobs and their results."""
        self.models = Models(self._driver, policy)
        """Registered model versions."""
        self.trainings = Trainings(self._driver, policy)
        """Trainings of the account's own versions."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, where this client opened it."""
        if self._owns_transport:
            self._transport.close()

    def health(self) -> Health:
        """Ask whether the service answers."""
        return self._driver.run(requests.get("/healthz", Health, self._policy))

    def readiness(self) -> Readiness:
        """Ask whether the parts that the service leans on work."""
        return self._driver.run(requests.get("/readyz", Readiness, self._policy))
