"""The walls around the process that opens an upload: limits, files, calls, the life of its parent.

A wall that the system does not have is left out, and said to be missing.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hbmlc_worker.ingest_child._landlock import READ_FILE, READ_TREE, WRITE_TREE, confine
from hbmlc_worker.ingest_child._seccomp import forbid_calls

__all__ = ["ALL_WALLS", "ChildLimits", "raise_walls"]

ALL_WALLS = ("limits", "parent", "files", "tcp", "signals", "calls")
"""Every wall: rlimits, the parent's death, Landlock's three, and seccomp."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_OPEN_FILES = 256
_GRACE_SECONDS = 5
"""Between the signal that ends a process by its CPU time and the one that cannot be caught."""
_SCRATCH_FILES = 4
"""Scratch files of the largest kind that are mapped at a time."""
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
_SYSTEM_FILES = (
    "/etc/ld.so.cache",
    "/dev/null",
    "/dev/urandom",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLimits:
    """What one ingest may take."""

    memory_bytes: int
    """Private memory."""
    cpu_seconds: int
    """Seconds of all its threads together."""
    file_bytes: int
    """Longest file that it writes."""


def raise_walls(limits: ChildLimits, *, source: Path, scratch: Path, parent: int) -> Sequence[str]:
    """Wall this process in, for good; returns the walls that stand.

    Afterwards it may read ``source``, Python and the system's libraries, write below ``scratch``,
    and nothing else. Comes before the first thread.
    """
    _limit(limits, source.stat().st_size)
    walls = ["limits"]
    if sys.platform != "linux":
        return walls
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    walls.append("parent")
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return walls
    rules = {
        READ_TREE: [*_installation(), *map(Path, _LIBRARIES), *map(Path, _SYSTEM_FILES)],
        READ_FILE: [source],
        WRITE_TREE: [scratch],
    }
    walls += confine(libc, rules)
    if forbid_calls(libc):
        walls.append("calls")
    return walls


def _installation() -> list[Path]:
    """Folders from which this Python imports."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = {sysconfig.get_path(name) for name in names} | {entry for entry in sys.path if entry}
    folders |= {os.path.join(sys.base_prefix, name) for name in ("lib", "lib64")}  # noqa: PTH118
    return [Path(folder) for folder in sorted(folders) if Path(folder) != Path("/")]


def _limit(limits: ChildLimits, source_bytes: int) -> None:
    """Set the limits of the kernel."""
    # Scratch files and the upload are mapped and are no memory: they count as address space only.
    mapped = _SCRATCH_FILES * limits.file_bytes + source_bytes
    wanted = [
        (resource.RLIMIT_DATA, limits.memory_bytes, 0),
        (resource.RLIMIT_AS, limits.memory_bytes + mapped, 0),
        (resource.RLIMIT_CPU, limits.cpu_seconds, _GRACE_SECONDS),
        (resource.RLIMIT_FSIZE, limits.file_bytes, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ]
    for what, soft, more in wanted:
        _, hard = resource.getrlimit(what)
        most = soft + more if hard == resource.RLIM_INFINITY else min(hard, soft + more)
        # macOS refuses some of them.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (min(soft, most), most))
