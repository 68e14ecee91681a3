"""PostgreSQL's data folder: made, and freed of processes that were left on it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil

from hbmlc_store.embedded.errors import StartError
from hbmlc_store.embedded.roles import SUPERUSER
from hbmlc_store.embedded.unprivileged import (
    drop_root,
    give_to_unprivileged,
    seen_from_inside,
)

__all__ = ["end_leftovers_on", "make_data_folder"]

_PATIENCE = 20.0


def make_data_folder(folder: Path, *, programs: Path, superuser_password: str) -> None:
    """Make the data folder beside its place and move it there, so that it is whole or absent."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=".postgres-", dir=folder.parent))
    password_file = draft / "password"
    password_file.write_text(superuser_password)
    data = draft / "data"
    data.mkdir(mode=0o700)
    give_to_unprivileged(draft)
    inside = seen_from_inside(data)
    try:
        subprocess.run(
            [
                str(programs / "initdb"),
                f"--pgdata={inside}",
                f"--username={SUPERUSER}",
                f"--pwfile={inside / '..' / 'password'}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
            ],
            check=True,
            capture_output=True,
            cwd=data,
            preexec_fn=drop_root(),
        )
        data.rename(folder)
    except subprocess.CalledProcessError as exc:
        raise StartError(f"initdb failed: {exc.stderr.decode(errors='replace')}") from exc
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def end_leftovers_on(folder: Path) -> None:
    """Stop a server that runs on this folder without us, and what a killed one left behind.

    Sessions outlive a killed postmaster for as long as their query takes, each in a process group
    of its own; they hold its shared memory, and the next start is refused for their sake.
    """
    lead = _postmaster_on(folder)
    if lead is not None:
        lead.send_signal(signal.SIGINT)
        with contextlib.suppress(psutil.TimeoutExpired):
            lead.wait(_PATIENCE)
    left = _processes_on(folder)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=_PATIENCE)
    if alive := [found.pid for found in left if _works_on(found, folder)]:
        raise StartError(f"Processes {alive} do not let go of {folder}.")
    # Its pid may by now belong to a stranger; PostgreSQL would refuse to start for its sake.
    (folder / "postmaster.pid").unlink(missing_ok=True)


def _postmaster_on(folder: Path) -> psutil.Process | None:
    try:
        pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
        process = psutil.Process(pid)
    except (OSError, psutil.NoSuchProcess, ValueError, IndexError):
        return None
    return process if _works_on(process, folder) else None


def _processes_on(folder: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _works_on(process, folder)]


def _works_on(process: psutil.Process, folder: Path) -> bool:
    """Whether this is a process of PostgreSQL on this folder: all of them work inside of it."""
    try:
        return process.name() == "postgres" and Path(process.cwd()) == folder.resolve()
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False
