"""Errors of the store.

StoreError
├── NotFoundError          no such object for this account
├── ConflictError          the object's state forbids it; try again later or not at all
│   └── StaleTransitionError   a job was not in a phase that may precede the wanted one
├── InvalidError           the request can never succeed as it is
├── LostClaimError         the unit is no longer ours: aborted, reaped or done by another
├── DigestMismatchError    the bytes are not those that were announced
├── ObjectDamagedError     an object's bytes are no longer those that were written
└── StoreUnavailableError  the object store does not answer; the same later may succeed

SetupError                 environment or database are not as this release needs them
"""

from __future__ import annotations

__all__ = [
    "ConflictError",
    "DigestMismatchError",
    "InvalidError",
    "LostClaimError",
    "NotFoundError",
    "ObjectDamagedError",
    "SetupError",
    "StaleTransitionError",
    "StoreError",
    "StoreUnavailableError",
]


class StoreError(Exception):
    """Root of the store's errors; ``code`` is stable, ``message`` says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NotFoundError(StoreError):
    """No such object for this account."""


class ConflictError(StoreError):
    """The present state of an object forbids the request."""


class StaleTransitionError(ConflictError):
    """A job is not in a phase from which the wanted one can be reached."""


class InvalidError(StoreError):
    """The request can never succeed as it is."""


class LostClaimError(StoreError):
    """The claim on a unit is gone; its worker must stop and write nothing."""


class DigestMismatchError(StoreError):
    """The bytes received do not have the digest that was announced."""


class ObjectDamagedError(StoreError):
    """An object's bytes are not those that were written; reading again gives the same."""


class StoreUnavailableError(StoreError):
    """The object store does not answer, or refuses us; the same request may succeed later."""


class SetupError(Exception):
    """Environment or database are not as this release needs them; an operator has to act."""
