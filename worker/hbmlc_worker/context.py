"""What a worker process holds for as long as it lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from hbmlc_store.database import Database
from hbmlc_store.objects import Objects
from hbmlc_store.settings import Settings

__all__ = ["WorkerContext", "make_context", "worker_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """Settings, connections and name of one worker process."""

    settings: Settings
    database: Database
    objects: Objects
    name: str
    """Host and process id: by it the unit's row tells who works on it."""


def worker_name(settings: Settings, process_id: int | None = None) -> str:
    """Name of a worker process, or what the names of all processes of this worker begin with."""
    host = settings.worker_name or socket.gethostname()
    return f"{host}/{'' if process_id is None else process_id}"


def make_context(settings: Settings) -> WorkerContext:
    """Connect a process; call it after any fork."""
    return WorkerContext(
        settings=settings,
        database=Database(settings.database_url.get_secret_value(), pool_size=3),
        objects=Objects.of(settings),
        name=worker_name(settings, os.getpid()),
    )
