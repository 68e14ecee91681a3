"""Trainings of the blocking client; ``_async_trainings`` is its twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal
from uuid import UUID

from hbmlc._core import requests
from hbmlc._core.exchange import RetryPolicy
from hbmlc._core.sync_driver import SyncDriver
from hbmlc._resources import DEFAULT_LIMIT
from hbmlc.schemas import Page, Training, TrainingOptions, TrainingRequest

__all__ = ["Trainings"]


class Trainings:
    """``client.trainings``: training jobs that make the account's own model versions."""

    def __init__(self, driver: SyncDriver, policy: RetryPolicy) -> None:
        self._driver = driver
        self._policy = policy

    def create(
        self,
        name: str,
        catalog_ids: Sequence[UUID | str],
        *,
        options: TrainingOptions | None = None,
        seed: int = 0,
        promote: Literal["if-better", "never"] = "if-better",
        label: str | None = None,
    ) -> Training:
        """Request a new version of the model ``name``, trained on catalogues of the same bands."""
        asked = TrainingRequest(
            name=name,
            catalog_ids=[UUID(str(catalog_id)) for catalog_id in catalog_ids],
            options=options or TrainingOptions(),
            seed=seed,
            promote=promote,
            label=label,
        )
        flow = requests.create("/v1/trainings", asked, Training, self._policy)
        return self._driver.run(flow)

    def get(self, training_id: UUID | str) -> Training:
        """Look at a training."""
        path = f"/v1/trainings/{training_id}"
        return self._driver.run(requests.get(path, Training, self._policy))

    def wait(
        self,
        training_id: UUID | str,
        *,
        timeout: float,
        on_progress: Callable[[Training], None] | None = None,
    ) -> Training:
        """Wait until a training is complete; raises ``TrainingFailedError`` otherwise."""
        flow = requests.wait_for_training(
            UUID(str(training_id)), self._policy, timeout=timeout, on_progress=on_progress
        )
        return self._driver.run(flow)

    def pages(self, *, limit: int = DEFAULT_LIMIT) -> Iterator[Page[Training]]:
        """List trainings page by page, newest first."""
        cursor: str | None = None
        while True:
            flow = requests.page(
                "/v1/trainings", Training, self._policy, limit=limit, cursor=cursor
            )
            page = self._driver.run(flow)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    def list(self, *, limit: int = DEFAULT_LIMIT) -> Iterator[Training]:
        """List trainings across pages, newest first."""
        for page in self.pages(limit=limit):
            yield from page.items

    def abort(self, training_id: UUID | str) -> Training:
        """Stop a training."""
        path = f"/v1/trainings/{training_id}/abort"
        return self._driver.run(requests.call(path, Training, self._policy))

    def delete(self, training_id: UUID | str) -> None:
        """Delete a training; the version that it made stays."""
        self._driver.run(requests.delete(f"/v1/trainings/{training_id}", self._policy))
