"""Memory of the processes of an embedded service, watched while a benchmark uses it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psutil

__all__ = ["memory_of_service"]

_HOME = "HBMLC_HOME"
_SAMPLING = 0.5
"""Seconds between two looks."""


@contextmanager
def memory_of_service(home: Path) -> Iterator[list[int]]:
    """Resident bytes of the largest process, look by look, of the service with this home."""
    before = os.environ.get(_HOME)
    os.environ[_HOME] = str(home)
    largest = [0]
    is_over = Event()

    def look() -> None:
        largest.append(max(_resident(home), default=0))

    def keep_looking() -> None:
        while not is_over.wait(_SAMPLING):
            look()

    watch = Thread(target=keep_looking, daemon=True)
    watch.start()
    try:
        yield largest
    finally:
        is_over.set()
        watch.join()
        look()
        if before is None:
            del os.environ[_HOME]
        else:
            os.environ[_HOME] = before


def _resident(home: Path) -> Iterator[int]:
    """Resident bytes of every process that was started for this home, but for this one."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(_HOME) == str(home):
                yield process.memory_info().rss
        except psutil.Error:
            continue
