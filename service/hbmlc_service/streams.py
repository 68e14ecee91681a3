"""How many event streams a key holds open in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from uuid import UUID

from hbmlc_service.problems import ProblemError

__all__ = ["StreamSlots"]


class StreamSlots:
    """Counts the streams of each key, so that one cannot take the process from all others."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: Counter[UUID] = Counter()

    def check(self, key_id: UUID) -> None:
        """Answer 429 where the key has as many streams as it may."""
        if self._open[key_id] >= self._limit:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too-many-streams",
                f"This key follows {self._limit} jobs at once already; close a stream, or ask with "
                "?wait=30 instead.",
                headers={"Retry-After": "5"},
            )

    @contextmanager
    def taken(self, key_id: UUID) -> Generator[None]:
        """Hold a stream open."""
        self._open[key_id] += 1
        try:
            yield
        finally:
            self._open[key_id] -= 1
            if not self._open[key_id]:
                del self._open[key_id]
