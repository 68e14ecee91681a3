"""Waiting out an outage: a database that restarts must not cost a message or an attempt."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from hbmlc_worker.draining import DRAINING

__all__ = ["patiently"]

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
T = TypeVar("T")

logger = structlog.get_logger(__name__)


def patiently(action: Callable[[], T], *, seconds: float) -> T:
    """Do something with the database; while it does not answer, again for up to ``seconds``.

    ``action`` is one transaction and must bear being done twice: a connection that breaks at the
    commit does not tell whether it took place. The last error is raised, and at once in a process
    that is draining.
    """
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while True:
        try:
            return action()
        except (OperationalError, InterfaceError) as exc:
            if time.monotonic() + pause > deadline or DRAINING.is_set():
                raise
            logger.warning("Database does not answer; waiting", error=type(exc.orig).__name__)
            DRAINING.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
