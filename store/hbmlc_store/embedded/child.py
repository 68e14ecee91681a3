"""Child processes that cannot outlive the one that started them.

On Linux the kernel signals a child when its parent dies (``PR_SET_PDEATHSIG``), even after
``kill -9``. Elsewhere the next start finds what was left by its pid files.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["die_with_parent", "free_port", "load_libc", "start_child", "stop_child"]

_PR_SET_PDEATHSIG = 1


def load_libc() -> ctypes.CDLL | None:
    """Load the C library where it knows ``prctl``: on Linux."""
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


# Loaded before any fork: between fork and exec nothing may import or allocate more than it must.
_LIBC = load_libc()


def die_with_parent(signal_number: int) -> None:
    """Ask the kernel to send this process a signal when its parent is gone."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)


def start_child(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    before_exec: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, its output appended to ``log``.

    A session of its own keeps Ctrl-C in a terminal from reaching every child at once; the parent
    stops them in the right order instead.
    """
    parent = os.getpid()

    def prepare() -> None:
        if before_exec is not None:
            before_exec()
        # A change of user clears the death signal, so this comes last.
        die_with_parent(death_signal)
        if os.getppid() != parent:
            os._exit(1)

    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment) if environment is not None else None,
            cwd=folder,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509 - children are started from the one main thread
        )


def stop_child(
    child: subprocess.Popen[bytes],
    *,
    signals: Sequence[signal.Signals] = (signal.SIGTERM,),
    patience: float = 5.0,
) -> None:
    """Stop a child: each signal in turn with ``patience`` seconds between, then its whole group."""
    for number in signals:
        if child.poll() is not None:
            break
        child.send_signal(number)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    # Grandchildren (pool processes) share the child's session and must not stay behind.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def free_port() -> int:
    """Find a TCP port of the loopback interface that nobody listens on."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
