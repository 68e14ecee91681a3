"""What the end of an ingest's child means for the upload, and for the worker."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from hbmlc.schemas import ColumnMapping
from hbmlc_worker.ingest_child.walls import ChildLimits
from hbmlc_worker.problems import WorkerError

__all__ = ["Ended", "judge"]

_CODE_LENGTH = 64
_MESSAGE_LENGTH = 1_000
_CRASHES = frozenset(
    {
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGSYS,
        signal.SIGTRAP,
    }
)
"""How a library ends a process whose file it does not understand."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a child ended."""

    returncode: int | None
    """Its exit status; minus the signal that ended it; ``None`` if it never began."""
    ran_out: bool
    """Whether it was killed because its time was up."""
    problem: Exception | None
    """What went wrong on the parent's side."""


def judge(said: Mapping[str, Any], ended: Ended, limits: ChildLimits) -> Mapping[str, Any]:
    """Report of a child that did its work; raises what else its end means."""
    if ended.ran_out or ended.returncode == -signal.SIGXCPU:
        raise _too_demanding(f"reading it took more than {limits.cpu_seconds:,} seconds")
    if ended.problem is not None:
        raise ended.problem
    if ended.returncode == 0:
        if isinstance(report := said.get("report"), dict):
            return report
        if isinstance(error := said.get("error"), dict):
            raise _fault(error)
        if isinstance(failure := said.get("failure"), dict):
            raise _failure(failure, limits)
    if ended.returncode == -signal.SIGABRT:
        # What becomes of a failed allocation in a thread of C++.
        raise _too_demanding(
            "the library that reads it gave up, mostly for want of memory "
            f"({limits.memory_bytes:,} bytes)"
        )
    if ended.returncode is not None and -ended.returncode in _CRASHES:
        logger.error("Ingest child crashed", signal=signal.Signals(-ended.returncode).name)
        raise _unreadable("the library that reads the format broke down on it")
    if ended.returncode == -signal.SIGKILL:
        # Not by us: the system was out of memory, or somebody ended it by hand.
        raise MemoryError("The ingest's process was killed from outside.")
    raise RuntimeError(f"The ingest's process ended with status {ended.returncode}.")


def _fault(error: Mapping[str, Any]) -> WorkerError:
    """Fault of the upload, in the words of the child."""
    where = error.get("where")
    return WorkerError(
        _clean(error.get("code"), _CODE_LENGTH),
        _clean(error.get("message"), _MESSAGE_LENGTH),
        where=None if where is None else _clean(where, _MESSAGE_LENGTH),
        mapping=_cure(error.get("mapping")),
    )


def _cure(mapping: object) -> Mapping[str, object] | None:
    """Piece of mapping that a child proposes; ``None`` where it is no such thing."""
    if not isinstance(mapping, dict):
        return None
    try:
        proposed = ColumnMapping.model_validate(mapping)
    except ValidationError:
        return None
    return proposed.model_dump(mode="json")


def _failure(failure: Mapping[str, Any], limits: ChildLimits) -> Exception:
    """What stopped a child that is not a known fault of the upload."""
    match failure.get("kind"):
        case "memory":
            return _too_demanding(f"reading it took more than {limits.memory_bytes:,} bytes")
        case "output":
            return _too_demanding(f"it unfolds to a file of more than {limits.file_bytes:,} bytes")
        case "disk":
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        case _:
            kind = _clean(failure.get("type"), _CODE_LENGTH)
            places = [_clean(place, 200) for place in failure.get("places", ())][:8]
            logger.error("Ingest child failed", type=kind, places=places)
            return _unreadable(f"its reader stopped with {kind}")


def _too_demanding(what: str) -> WorkerError:
    return WorkerError(
        "file-too-demanding",
        f"The file was given up: {what}. Write a plain table of the wanted columns.",
    )


def _unreadable(what: str) -> WorkerError:
    return WorkerError(
        "unreadable-file",
        f"The file cannot be read: {what}. Write it again, or in another format.",
    )


def _clean(text: object, length: int) -> str:
    """Short printable text: a child that was taken over may say anything."""
    shown = str(text)[:length]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in shown)
