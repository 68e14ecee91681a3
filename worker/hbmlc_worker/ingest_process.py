"""The parent's side of an ingest: starts the child, listens, judges its end, leaves none behind.

A thread owns the child. A lost claim raises in the main thread wherever it happens to be; the
thread kills and reaps all the same, and the kernel kills the child with its parent.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any

import structlog

from hbmlc_worker.ingest_child.walls import ALL_WALLS, ChildLimits
from hbmlc_worker.ingest_outcome import Ended, judge

__all__ = ["IngestRequest", "run_ingest"]

_COMMAND = (sys.executable, "-E", "-P", "-B", "-m", "hbmlc_worker.ingest_child")
_PASSED_ON = (
    "LD_LIBRARY_PATH",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "OMP_WAIT_POLICY",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)
"""All that a child sees of its parent's environment: how libraries are found and how they count."""
_READ_BYTES = 65_536
_MAX_LINE = 2**20
"""Longest line that a child may say [bytes]."""
_MAX_SAID = 64 * 2**20
"""Most that it may say in all [bytes]."""

logger = structlog.get_logger(__name__)
_told_walls: set[tuple[str, ...]] = set()
"""Sets of walls that were logged already by this process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRequest:
    """One upload, where its canonical form goes, and what it may take."""

    source: Path
    """The upload; the one file outside its scratch that the child can read."""
    target: Path
    """Canonical file; its folder is the child's scratch, and empty."""
    mapping: Mapping[str, object] | None
    """Columns as asked for, by the names of ``ColumnMapping``."""
    bounds: Mapping[str, int]
    """Bounds on the table, by the names of ``IngestLimits``."""
    limits: ChildLimits
    wall_seconds: float
    """Seconds until the child is killed whatever it does."""


def run_ingest(
    request: IngestRequest, *, on_progress: Callable[[float], None]
) -> Mapping[str, Any]:
    """Ingest in a child process; returns the report as a document.

    ``on_progress`` may raise, as may a signal handler at any time: the child is then killed.

    Raises
    ------
    WorkerError
        The upload cannot be used, or took more than it may; trying again would not help.
    MemoryError, OSError, RuntimeError
        Something other than the upload failed.
    """
    child = _Child(request)
    try:
        try:
            child.start()
            return _listen(child, request, on_progress)
        finally:
            child.end()
    finally:
        # Once more: the first may have been what a signal interrupted.
        child.end()
        if child.is_alive():
            child.join()


def _listen(
    child: _Child, request: IngestRequest, on_progress: Callable[[float], None]
) -> Mapping[str, Any]:
    """Pass progress on until the child ends, and judge how it did."""
    last: dict[str, Any] = {}
    while True:
        event = child.events.get()
        if isinstance(event, Ended):
            return judge(last, event, request.limits)
        if isinstance(fraction := event.get("progress"), int | float):
            on_progress(min(1.0, max(0.0, float(fraction))))
        elif "walls" in event:
            _tell_walls(event["walls"])
        else:
            last = event


def _tell_walls(walls: object) -> None:
    """Log once which walls stand."""
    named = walls if isinstance(walls, list) else []
    standing = tuple(name for name in ALL_WALLS if name in named)
    if standing in _told_walls:
        return
    _told_walls.add(standing)
    missing = [name for name in ALL_WALLS if name not in standing]
    log = logger.warning if missing else logger.info
    log("Uploads are read behind walls", standing=list(standing), missing=missing)


class _Child(threading.Thread):
    """Thread that starts a child, hears it out, and reaps it."""

    def __init__(self, request: IngestRequest) -> None:
        super().__init__(name="ingest-child")
        self.events: queue.SimpleQueue[dict[str, Any] | Ended] = queue.SimpleQueue()
        """What the child says, line by line, and at last how it ended."""
        self._request = request
        self._process: subprocess.Popen[bytes] | None = None
        self._is_over = False
        self._ran_out = False

    def end(self) -> None:
        """Kill the child if it still runs; callable from any thread, as often as one likes."""
        self._is_over = True
        process = self._process
        if process is not None and process.returncode is None:
            # A session of its own: its group is all that it could have started.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def run(self) -> None:
        """Live as long as the child."""
        code, problem = None, None
        try:
            with self._start() as process:
                self._process = process
                try:
                    if not self._is_over:
                        self._talk(process)
                finally:
                    self.end()
            code = process.returncode
        except Exception as error:  # noqa: BLE001 -- raised again in the main thread
            problem = error
        self.events.put(Ended(returncode=code, ran_out=self._ran_out, problem=problem))

    def _start(self) -> subprocess.Popen[bytes]:
        scratch = self._request.target.parent
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= {
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "LANG": "C.UTF-8",
            # Plain malloc gives memory back, and says when there is none.
            "ARROW_DEFAULT_MEMORY_POOL": "system",
        }
        return subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=scratch,
            env=environment,
            start_new_session=True,
        )

    def _talk(self, process: subprocess.Popen[bytes]) -> None:
        """Hand over the request and read lines until the pipe closes or the time is up."""
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("The child has no pipes.")
        deadline = time.monotonic() + self._request.wall_seconds
        with suppress(BrokenPipeError):
            process.stdin.write(_document(self._request))
            process.stdin.close()
        held, n_said = b"", 0
        with DefaultSelector() as selector:
            selector.register(process.stdout, EVENT_READ)
            while selector.select(max(0.0, deadline - time.monotonic())):
                piece = os.read(process.stdout.fileno(), _READ_BYTES)
                *lines, held = (held + piece).split(b"\n")
                n_said += len(piece)
                if not piece or len(held) > _MAX_LINE or n_said > _MAX_SAID:
                    break
                for line in lines:
                    self._hear(line)
            else:
                self._ran_out = True
                return
        if not self._is_over and not held:
            # It closed its pipe: it is about to end by itself, and its own code says how.
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(1.0, deadline - time.monotonic()))

    def _hear(self, line: bytes) -> None:
        said = json.loads(line)
        if isinstance(said, dict):
            self.events.put(said)


def _document(request: IngestRequest) -> bytes:
    """Write the request down for the child."""
    return json.dumps(
        {
            "source": str(request.source),
            "target": str(request.target),
            "scratch": str(request.target.parent),
            "mapping": request.mapping,
            "bounds": dict(request.bounds),
            "limits": asdict(request.limits),
            "parent": os.getpid(),
        }
    ).encode()
