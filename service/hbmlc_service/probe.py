"""Whether the parts that the service leans on work, asked at most once a second."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from hbmlc.schemas import Readiness
from hbmlc_store.database import Database
from hbmlc_store.jobs.reaper import oldest_ready
from hbmlc_store.objects import Objects
from hbmlc_store.outbox import oldest_message
from hbmlc_store.schema_version import schema_problem

__all__ = ["Probe"]

KEPT_SECONDS = 1.0

logger = structlog.get_logger(__name__)


class Probe:
    """Asks database and object store; whoever comes while it asks gets the same answer."""

    def __init__(self, database: Database, objects: Objects) -> None:
        self._database = database
        self._objects = objects
        self._lock = threading.Lock()
        self._found: Readiness | None = None
        self._asked_at = 0.0

    def ask(self) -> Readiness:
        """Give the present answer, or the one of less than a second ago."""
        with self._lock:
            if self._found is None or time.monotonic() - self._asked_at > KEPT_SECONDS:
                self._found = self._look()
                self._asked_at = time.monotonic()
            return self._found

    def _look(self) -> Readiness:
        checks = {"database": self._check_database(), "objects": self._check_objects()}
        is_ready = all(found == "ok" for found in checks.values())
        ages = self._ages() if checks["database"] == "ok" else {}
        return Readiness(
            status="ready" if is_ready else "not-ready",
            checks=checks,
            oldest_message_seconds=ages.pop("outbox", None),
            oldest_ready_unit_seconds=ages,
        )

    def _check_database(self) -> str:
        try:
            return schema_problem(self._database) or "ok"
        except SQLAlchemyError as exc:
            logger.warning("Database unreachable", error=type(exc).__name__)
            return "unreachable"

    def _check_objects(self) -> str:
        try:
            self._objects.check_writable()
        except Exception as exc:  # noqa: BLE001 - whatever a store raises, it is not ready
            logger.warning("Object store not writable", error=type(exc).__name__)
            return "not writable"
        return "ok"

    def _ages(self) -> dict[str, float]:
        with self._database.transaction() as tx:
            oldest = oldest_message(tx)
            ages = {queue.value: age for queue, age in oldest_ready(tx).items()}
        if oldest is not None:
            ages["outbox"] = (datetime.now(UTC) - oldest).total_seconds()
        return ages
