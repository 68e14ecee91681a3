"""What the API process holds for as long as it lives, and how handlers get at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from hbmlc_store.database import Database
from hbmlc_store.objects import Objects
from hbmlc_store.settings import Settings

__all__ = ["Context", "ServiceContext", "make_context"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceContext:
    """Settings and connections of the process."""

    settings: Settings
    database: Database
    objects: Objects

    def run(self, use_case: Callable[[Session], T]) -> T:
        """Run a use case in one transaction."""
        with self.database.transaction() as tx:
            return use_case(tx)

    async def arun(self, use_case: Callable[[Session], T]) -> T:
        """Run a use case in one transaction, on a thread, for handlers that also stream or wait."""
        return await run_in_threadpool(self.run, use_case)


def make_context(settings: Settings) -> ServiceContext:
    """Connect the process; the first statement opens the first connection."""
    return ServiceContext(
        settings=settings,
        database=Database(settings.database_url.get_secret_value()),
        objects=Objects.of(settings),
    )


def _get_context(request: Request) -> ServiceContext:
    context: ServiceContext = request.app.state.context
    return context


Context = Annotated[ServiceContext, Depends(_get_context)]
