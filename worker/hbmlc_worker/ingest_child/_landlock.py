"""Landlock: a process gives up files, TCP ports and signals, for good and without privileges.

Only what a rule names stays open. The kernel says how much it can do by a version; what it cannot
do is left out, and where it has no Landlock at all ``confine`` says so.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["READ_FILE", "READ_TREE", "WRITE_TREE", "confine"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System calls, of the same numbers on every architecture."""
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE = 1 << 4, 1 << 5
_MAKE_DIR, _MAKE_REG = 1 << 7, 1 << 8
_TRUNCATE = 1 << 14
READ_FILE = _READ_FILE
"""One file may be read."""
READ_TREE = _READ_FILE | _READ_DIR
"""A folder and all below may be read and listed."""
# No links, sockets or devices: whoever takes files out of the folder would follow them.
WRITE_TREE = (
    READ_TREE | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _TRUNCATE
)
"""Files and folders below may be made, written and removed as well."""
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE

_FS_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""File rights that are given up, by the version that brought them."""
_NET_VERSION, _NET_RIGHTS = 4, 0b11
"""To listen and to connect, over TCP."""
_SCOPE_VERSION, _SCOPES = 6, 0b11
"""Abstract sockets, and signals to anybody outside."""


class _RulesetAttribute(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneathAttribute(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def confine(libc: ctypes.CDLL, rules: Mapping[int, Sequence[Path]]) -> Sequence[str]:
    """Give up every file but those that ``rules`` (rights to paths) name; returns the walls.

    Paths that are not there are passed over. Needs ``no_new_privs``.
    """
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    if version < 1:
        return ()
    handled = max(rights for since, rights in _FS_RIGHTS.items() if since <= version)
    has_net, has_scopes = version >= _NET_VERSION, version >= _SCOPE_VERSION
    attribute = _RulesetAttribute(
        handled, _NET_RIGHTS if has_net else 0, _SCOPES if has_scopes else 0
    )
    size = 24 if has_scopes else 16 if has_net else 8
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(attribute), size, 0)
    if ruleset < 0:
        return ()
    try:
        for rights, paths in rules.items():
            for path in paths:
                _allow(libc, ruleset, path, rights & handled)
        if libc.syscall(_RESTRICT_SELF, ruleset, 0) != 0:
            return ()
    finally:
        os.close(ruleset)
    walls = ["files"]
    if has_net:
        walls.append("tcp")
    if has_scopes:
        walls.append("signals")
    return walls


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not path.is_dir():
            rights &= _FILE_RIGHTS
        rule = _PathBeneathAttribute(rights, descriptor)
        if libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0) != 0:
            raise OSError(ctypes.get_errno(), f"Landlock takes no rule for {path}")
    finally:
        os.close(descriptor)
