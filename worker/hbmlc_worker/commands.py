"""Commands of the workers: ``hbmlc worker`` and ``hbmlc register-models``."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from hbmlc_store.jobs.stages import Queue
from hbmlc_store.logs import configure_logs
from hbmlc_store.plain_errors import plain_errors
from hbmlc_store.settings import Settings, load_settings

__all__ = ["WorkerKind", "register_models", "worker"]


class WorkerKind(StrEnum):
    """What a worker process serves."""

    CPU = "cpu"
    GPU = "gpu"
    INGEST = "ingest"
    RELAY = "relay"


@plain_errors
def worker(
    queue: Annotated[
        WorkerKind, typer.Option(help="Queue to serve; 'relay' carries messages and reaps.")
    ],
) -> None:
    """Run a worker until it is stopped. Example: hbmlc worker --queue cpu."""
    settings = load_settings()
    configure_logs(settings)
    _require_schema(settings, may_be_away=True)
    if queue is WorkerKind.RELAY:
        from hbmlc_worker.keeper import run_keeper

        run_keeper(settings)
        return
    _limit_threads(settings)
    from hbmlc_worker.app import create_celery
    from hbmlc_worker.janitor import install_janitor
    from hbmlc_worker.scratch import sweep

    sweep(settings.scratch)

    # One device, one process that touches it: the gpu worker computes in its main process.
    pool = (
        ["--pool", "solo"]
        if queue is WorkerKind.GPU
        else ["--pool", "prefork", "--concurrency", str(settings.worker_concurrency)]
    )
    install_janitor(settings, Queue(queue.value))
    create_celery(settings).worker_main(
        [
            "worker",
            *pool,
            "--queues",
            queue.value,
            "--hostname",
            f"{queue.value}-{os.getpid()}@%h",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--loglevel",
            settings.log_level,
        ]
    )


@plain_errors
def register_models() -> None:
    """Register the model versions that this release ships. Example: hbmlc register-models."""
    from hbmlc_store.database import Database
    from hbmlc_worker.registration import register_base_models

    settings = load_settings()
    configure_logs(settings)
    _require_schema(settings)
    register_base_models(Database(settings.database_url.get_secret_value(), pool_size=1))


def _require_schema(settings: Settings, *, may_be_away: bool = False) -> None:
    """Start on the schema of this release only."""
    from hbmlc_store.database import Database
    from hbmlc_store.schema_version import require_schema

    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    try:
        require_schema(database, may_be_away=may_be_away)
    finally:
        database.close()


def _limit_threads(settings: Settings) -> None:
    """Fix the number of threads before any library counts the cores for itself."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, str(settings.threads))
    # Threads that spin while they wait make two busy workers on few cores twenty times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
