"""A service on this machine: found where one runs, else started for as long as it is needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from hbmlc._config import Endpoint, find_local_service
from hbmlc.errors import HbmlcError, TransportError

__all__ = ["ServiceStartError", "local_service"]

_START_SECONDS = 180.0
_STOP_SECONDS = 30.0
_LOOK_SECONDS = 0.1
_LOG_LINES = 15


class ServiceStartError(TransportError):
    """The embedded service did not start; the message quotes its log."""

    code = "service-start"
    is_retryable = False


@contextmanager
def local_service(folder: Path, *, on_start: Callable[[], None]) -> Generator[Endpoint]:
    """Endpoint of the service in ``folder``; one that had to be started is stopped afterwards."""
    running = find_local_service(folder)
    if running is not None and _answers(running.endpoint):
        yield running.endpoint
        return
    on_start()
    log = folder / "logs" / "serve.log"
    process = _start(folder, log)
    try:
        yield _wait(folder, process, log)
    finally:
        _stop(process)


def _answers(endpoint: Endpoint) -> bool:
    """Whether the service answers; its file may be left from one that was killed."""
    from hbmlc._core.exchange import RetryPolicy
    from hbmlc.client import Client

    policy = RetryPolicy(max_retries=1)
    try:
        with Client(endpoint.url, api_key=endpoint.api_key, retry=policy, timeout=5.0) as client:
            client.health()
    except HbmlcError:
        return False
    return True


def _start(folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start ``hbmlc serve`` on a free port, in its own session so that Ctrl-C stops us first."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "hbmlc", "serve", "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HBMLC_HOME": str(folder)},
            start_new_session=True,
        )


def _wait(folder: Path, process: subprocess.Popen[bytes], log: Path) -> Endpoint:
    """Wait until the service announces itself."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        running = find_local_service(folder)
        if running is not None and _answers(running.endpoint):
            return running.endpoint
        if process.poll() is not None:
            raise ServiceStartError(f"The local service ended at once. {log} says:\n{_tail(log)}")
        time.sleep(_LOOK_SECONDS)
    raise ServiceStartError(
        f"The local service was not ready in {_START_SECONDS:.0f} s. {log} says:\n{_tail(log)}"
    )


def _tail(log: Path) -> str:
    """Last lines of a log."""
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines[-_LOG_LINES:]) or "  nothing"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the service and wait until it is gone."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
