"""Leaving root behind, because PostgreSQL refuses to run as root.

A container often runs as root with its packages under ``/root``, where no other user may look.
Instead of opening that folder to everybody, the process keeps one capability over the change of
user: to read and traverse (``CAP_DAC_READ_SEARCH``). What it may *write* is its data folder alone.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

from hbmlc_store.embedded.child import load_libc

__all__ = ["drop_root", "give_to_unprivileged"]

UNPRIVILEGED = "nobody"

_CAP_DAC_READ_SEARCH = 2
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
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


def drop_root() -> Callable[[], None] | None:
    """Give what a child does before ``exec`` to become unprivileged; ``None`` if not root."""
    if os.geteuid() != 0:
        return None
    uid, gid = _unprivileged_ids()
    # Layout of capset(2): a header, then two blocks of effective, permitted and inheritable bits.
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    bit = 1 << _CAP_DAC_READ_SEARCH
    bits = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)

    def become() -> None:
        keeps_all = False
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
            # Without this bit access(2) forgets the capability, and PostgreSQL asks access(2)
            # whether its own programs are there: it would not find them below a private folder.
            securebits = _LIBC.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
            keeps_all = securebits == 0
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        if _LIBC is None:
            return
        if _LIBC.capset(header, bits) == 0:
            _LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)
        elif keeps_all:
            raise PermissionError("root's capabilities could not be given up")

    return become


def _unprivileged_ids() -> tuple[int, int]:
    import pwd

    entry = pwd.getpwnam(UNPRIVILEGED)
    return entry.pw_uid, entry.pw_gid
