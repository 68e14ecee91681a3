"""Draining: a worker that is being stopped gives its units back instead of losing them.

The worker's main process hears SIGTERM or SIGQUIT; its pool processes compute. It sets the mark in
itself and signals them; each looks at its mark between two steps of its work.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import psutil

__all__ = ["DRAINING", "drain_pool", "listen_for_drain"]

DRAINING = threading.Event()
"""Set in a process that shall take no more work and give back what it has."""

# Celery keeps the named signals for itself.
_DRAIN_SIGNAL = signal.SIGRTMIN + 1


def listen_for_drain() -> None:
    """Make this pool process set its mark when the main process says so."""
    DRAINING.clear()
    signal.signal(_DRAIN_SIGNAL, lambda *_: DRAINING.set())


def drain_pool() -> None:
    """Set the mark here and in every pool process."""
    DRAINING.set()
    for child in psutil.Process(os.getpid()).children():
        if _listens(child):
            child.send_signal(_DRAIN_SIGNAL)


def _listens(process: psutil.Process) -> bool:
    """Whether a process catches the signal; any other would die of it."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    except OSError:
        return False
    caught = next((line for line in status.splitlines() if line.startswith("SigCgt:")), "_ 0")
    return bool(int(caught.split()[1], 16) >> (_DRAIN_SIGNAL - 1) & 1)
