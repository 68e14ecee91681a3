"""Errors of the store.

StoreError
├── NotFound          no such object for this account
├── Conflict          the object's state forbids it; try again later or not at all
│   └── StaleTransition   a job was not in a phase that may precede the wanted one
├── Invalid           the request can never succeed as it is
├── LostClaim         the unit is no longer ours: aborted, reaped or done by another
└── DigestMismatch    the bytes are not those that were announced
"""

from __future__ import annotations

__all__ = [
    "Conflict",
    "DigestMismatch",
    "Invalid",
    "LostClaim",
    "NotFound",
    "StaleTransition",
    "StoreError",
]


class StoreError(Exception):
    """Root of the store's errors; ``code`` is stable, ``message`` says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NotFound(StoreError):
    """No such object for this account."""


class Conflict(StoreError):
    """The present state of an object forbids the request."""


class StaleTransition(Conflict):
    """A job is not in a phase from which the wanted one can be reached."""


class Invalid(StoreError):
    """The request can never succeed as it is."""


class LostClaim(StoreError):
    """The claim on a unit is gone; its worker must stop and write nothing."""


class DigestMismatch(StoreError):
    """The bytes received do not have the digest that was announced."""
