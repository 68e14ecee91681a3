"""One supervisor a home, and an end to what a killed one left running."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

import psutil

from hbmlc_store.embedded.errors import HomeInUseError

__all__ = ["end_leftovers", "hold_home", "note_children"]


@contextmanager
def hold_home(home: Path) -> Generator[None]:
    """Hold the home's lock during the block; the kernel lets go of it when we die.

    Raises
    ------
    HomeInUseError
        Another supervisor holds it.
    """
    run = home / "run"
    run.mkdir(parents=True, exist_ok=True)
    with (run / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            file.seek(0)
            raise HomeInUseError(
                f"Process {file.read().strip() or 'unknown'} serves {home} already; "
                "use its address, stop it, or set HBMLC_HOME to another folder."
            ) from exc
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def note_children(home: Path, pids: Iterable[int]) -> None:
    """Write down which processes run for this home."""
    found: dict[int, float] = {}
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            found[pid] = psutil.Process(pid).create_time()
    (home / "run" / "children.json").write_text(json.dumps(found))


def end_leftovers(home: Path) -> int:
    """Kill processes that an earlier supervisor of this home left behind; returns how many."""
    file = home / "run" / "children.json"
    try:
        noted = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return 0
    alive: list[psutil.Process] = []
    for pid, created in noted.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(pid))
            # The number may have gone to a stranger since; its time of birth tells.
            if abs(process.create_time() - created) < 1:
                alive += [*process.children(recursive=True), process]
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=10)
    file.unlink(missing_ok=True)
    return len(alive)
