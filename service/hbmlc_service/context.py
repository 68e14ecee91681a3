"""What the API process holds for as long as it lives, and how handlers get at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from hbmlc_service.changes import Changes
from hbmlc_service.metrics import Metrics
from hbmlc_service.probe import Probe
from hbmlc_service.streams import StreamSlots
from hbmlc_store.accounts import Identity, authenticate
from hbmlc_store.database import Database, Limits
from hbmlc_store.objects import Objects
from hbmlc_store.operators import Operator, authenticate_operator
from hbmlc_store.settings import Settings

__all__ = ["Context", "ServiceContext", "make_context"]

LIMITS = Limits(statement_seconds=15.0, lock_seconds=10.0)
"""Callers wait for the answer: a statement that takes longer is given up."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceContext:
    """Settings and connections of the process."""

    settings: Settings
    database: Database
    objects: Objects
    changes: Changes
    streams: StreamSlots
    probe: Probe
    metrics: Metrics

    def run(self, use_case: Callable[[Session], T]) -> T:
        """Run a use case in one transaction."""
        with self.database.transaction() as tx:
            return use_case(tx)

    async def arun(self, use_case: Callable[[Session], T]) -> T:
        """Run a use case in one transaction, on a thread, for handlers that also stream or wait."""
        return await run_in_threadpool(self.run, use_case)

    def recognise(self, key: str) -> Identity | Operator | None:
        """Who holds a key; ``None`` where nobody does."""
        key_secret = self.settings.key_secret.get_secret_value()
        find = authenticate_operator if key.startswith("hbo_") else authenticate
        return self.run(lambda tx: find(tx, key, key_secret=key_secret))


def make_context(settings: Settings) -> ServiceContext:
    """Connect the process; the first statement opens the first connection."""
    url = settings.database_url.get_secret_value()
    database = Database(url, pool_size=settings.api_threads, limits=LIMITS)
    objects = Objects.of(settings)
    return ServiceContext(
        settings=settings,
        database=database,
        objects=objects,
        changes=Changes(url),
        streams=StreamSlots(settings.max_streams),
        probe=Probe(database, objects),
        metrics=Metrics(),
    )


def _get_context(request: Request) -> ServiceContext:
    context: ServiceContext = request.app.state.context
    return context


Context = Annotated[ServiceContext, Depends(_get_context)]
