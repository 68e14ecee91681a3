"""Scratch folders that end with their owner, however it ends.

The owner of a folder holds a lock on it, which the kernel lets go with the process. A sweep removes
folders that nobody holds: what a killed process left is gone when the next work begins, and no
process of another container, whose numbers mean nothing here, loses its own.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir, mkdtemp

import structlog

__all__ = ["scratch_folder", "sweep"]

_PREFIX = "hbmlc-scratch-"
_TRIES = 5
"""A folder may be swept in the instant between its making and its lock."""

logger = structlog.get_logger(__name__)


@contextmanager
def scratch_folder(root: Path | None) -> Generator[Path]:
    """Lend a new folder, mode 0700, below ``root`` or the system's; removed with all it holds."""
    folder, lock = _make(_root(root))
    # A signal's exception can end a wait in the main thread, but no work in another one.
    is_over = threading.Event()
    keeper = threading.Thread(target=_keep, args=(folder, lock, is_over), name="scratch")
    try:
        try:
            keeper.start()
            yield folder
        finally:
            is_over.set()
    finally:
        # Once more: the first may have been what a signal interrupted.
        is_over.set()
        if keeper.is_alive():
            keeper.join()


def sweep(root: Path | None) -> int:
    """Remove the folders below ``root`` whose owner is gone; returns how many."""
    removed = 0
    for folder in _root(root).glob(f"{_PREFIX}*"):
        lock = _lock(folder)
        if lock is not None:
            _remove(folder, lock)
            removed += 1
    if removed:
        logger.warning("Scratch of ended workers removed", n_folders=removed)
    return removed


def _root(root: Path | None) -> Path:
    return root or Path(gettempdir())


def _make(root: Path) -> tuple[Path, int]:
    root.mkdir(parents=True, exist_ok=True)
    for _ in range(_TRIES):
        # The number is for people who look at the disk.
        folder = Path(mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=root))
        lock = _lock(folder)
        if lock is not None and folder.exists():
            return folder, lock
        if lock is not None:
            os.close(lock)
    raise OSError(errno.EBUSY, f"Scratch folders below {root} vanish as they are made")


def _lock(folder: Path) -> int | None:
    """Descriptor that holds the lock of a folder of ours; ``None`` if another one holds it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if os.fstat(descriptor).st_uid == os.getuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _keep(folder: Path, lock: int, is_over: threading.Event) -> None:
    is_over.wait()
    _remove(folder, lock)


def _remove(folder: Path, lock: int) -> None:
    try:
        for _ in range(_TRIES):
            # A child that is being killed may write its last file meanwhile.
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                return
        logger.warning("Scratch folder not removed", folder=folder.name)
    finally:
        os.close(lock)
