"""Turns what went wrong in a task into a problem, and says whether trying again may help."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import cast

from sqlalchemy.exc import InterfaceError, OperationalError

from hbmlc_store.errors import NotFoundError, ObjectDamagedError, StoreUnavailableError

__all__ = ["WorkerError", "is_fatal", "is_outage", "problem_of"]


class WorkerError(Exception):
    """A job can never succeed as it is; ``code`` is stable, the message says what to do."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str | None = None,
        mapping: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        """Column, row or byte of an upload, where that is known."""
        self.mapping = mapping
        """Piece of column mapping that mends an upload, where there is one."""


def is_fatal(error: Exception) -> bool:
    """Whether the same work would fail the same way: the input is at fault, not the moment."""
    is_ours = isinstance(error, WorkerError | NotFoundError | ObjectDamagedError)
    return is_ours or _code_of_science(error) is not None


def is_outage(error: Exception) -> bool:
    """Whether the database or the object store did not answer: no fault of the unit at all."""
    return isinstance(error, OperationalError | InterfaceError | StoreUnavailableError)


def problem_of(error: Exception) -> dict[str, object]:
    """Describe an error for the owner of the job; never a traceback."""
    code = _code_of_science(error)
    where = getattr(error, "where", None)
    errors = [{"pointer": where, "message": str(error)}] if isinstance(where, str) else []
    mapping = getattr(error, "mapping", None)
    cure: dict[str, object] = {}
    if isinstance(mapping, Mapping):
        cure = {"mapping": dict(cast("Mapping[str, object]", mapping))}
    if code is not None:
        return {"code": code, "detail": str(error), "errors": errors, **cure}
    if isinstance(error, WorkerError | NotFoundError | ObjectDamagedError):
        return {"code": error.code, "detail": error.message, "errors": errors, **cure}
    if isinstance(error, MemoryError):
        return {
            "code": "out-of-memory",
            "detail": "The worker ran out of memory; use smaller tiles or a larger worker.",
            "errors": [],
        }
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return {
            "code": "out-of-disk",
            "detail": "The disk of the worker or of the store is full; free some of it.",
            "errors": [],
        }
    return {
        "code": "internal-error",
        "detail": f"The worker failed unexpectedly ({type(error).__name__}); report the job's id.",
        "errors": [],
    }


def _code_of_science(error: Exception) -> str | None:
    """Code of an error of ours that blames its input; other libraries have codes of other kinds."""
    code = getattr(error, "code", None)
    is_ours = type(error).__module__.startswith("hbmlc_models.")
    return code if is_ours and isinstance(code, str) else None
