"""Leaving root behind, because PostgreSQL refuses to run as root.

Nothing of root stays: no capability, and no way to get one back by running another program. A
container often has its home and its packages below ``/root``, where the unprivileged user may not
look. It does not have to: its data folder is its working directory, which it entered as root and
keeps as ``/proc/self/cwd``, and of the programs it has a copy (``programs.py``).
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

from hbmlc_store.embedded.child import load_libc

__all__ = ["drop_root", "give_to_unprivileged", "seen_from_inside"]

UNPRIVILEGED = "nobody"

_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_LIBC = load_libc()


def give_to_unprivileged(folder: Path) -> None:
    """Hand a folder and all in it to the unprivileged user; does nothing unless we are root."""
    if os.geteuid() != 0:
        return
    uid, gid = _unprivileged_ids()
    os.chown(folder, uid, gid)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent) / name, uid, gid, follow_symlinks=False)


def seen_from_inside(folder: Path) -> Path:
    """Name under which a child finds the folder that it was started in."""
    if os.geteuid() == 0 and sys.platform == "linux":
        return Path("/proc/self/cwd")
    return folder


def drop_root() -> Callable[[], None] | None:
    """Give what a child does before ``exec`` to become unprivileged; ``None`` if not root."""
    if os.geteuid() != 0:
        return None
    uid, gid = _unprivileged_ids()
    # Layout of capset(2): a header, then two blocks of effective, permitted and inheritable bits.
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()

    def become() -> None:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        if _LIBC is None:
            return
        # The change of user has emptied all sets but those that a container may have filled.
        _LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
        if _LIBC.capset(header, none) != 0:
            raise PermissionError("root's capabilities could not be given up")
        _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)

    return become


def _unprivileged_ids() -> tuple[int, int]:
    import pwd

    entry = pwd.getpwnam(UNPRIVILEGED)
    return entry.pw_uid, entry.pw_gid
