"""Errors of the SDK, split by what a caller can do about them.

::

    HbmlcError
    ├── ConfigurationError          no address or no key: say which
    ├── TransportError              no answer; may be tried again
    │   ├── ConnectionFailedError
    │   └── RequestTimeoutError
    ├── StatusError                 the service refused; ``code`` says why
    │   ├── InvalidRequestError     400, 415, 416, 422: mend the request
    │   ├── AuthenticationError     401: another key
    │   ├── PaymentRequiredError    402: the account cannot pay
    │   ├── PermissionDeniedError   403: a key with the scope
    │   ├── NotFoundError           404: no such object for this account
    │   ├── ConflictError           409: the object's state forbids it
    │   ├── TooLargeError           413: a smaller upload
    │   ├── RateLimitedError        429: later
    │   └── ServerError             5xx: later
    ├── UnexpectedAnswerError       the answer is no JSON that we know
    ├── IntegrityError              the bytes differ from their digest
    ├── WaitTimeoutError            it is not over yet; wait on
    ├── CatalogRejectedError        the upload cannot be used; ``problem`` says why
    ├── CalibrationFailedError      the calibration ended without results
    └── TrainingFailedError         the training ended without a version
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # For hints only: building the wire schemas would double the start-up of the command.
    from hbmlc.schemas import Calibration, Catalog, Problem, ProblemDetail, Training

__all__ = [
    "AuthenticationError",
    "CalibrationFailedError",
    "CatalogRejectedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "HbmlcError",
    "IntegrityError",
    "InvalidRequestError",
    "NotFoundError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RequestTimeoutError",
    "ServerError",
    "StatusError",
    "TooLargeError",
    "TrainingFailedError",
    "TransportError",
    "UnexpectedAnswerError",
    "WaitTimeoutError",
]


class HbmlcError(Exception):
    """Root of the errors of the SDK."""

    code: str = "error"
    """Stable machine-readable name."""
    is_retryable: bool = False
    """Whether the same call may succeed later."""
    request_id: str | None = None
    """Identifier under which the service logged the request."""


class ConfigurationError(HbmlcError):
    """The address of the service or the key is missing."""

    code = "configuration"


class TransportError(HbmlcError):
    """There was no answer."""

    code = "no-answer"
    is_retryable = True


class ConnectionFailedError(TransportError):
    """No connection, or it broke."""

    code = "connection-failed"


class RequestTimeoutError(TransportError):
    """The answer did not come in time."""

    code = "request-timeout"


class StatusError(HbmlcError):
    """The service answered with a problem document."""

    def __init__(self, problem: Problem, *, retry_after: float | None = None) -> None:
        self.problem = problem
        """The whole document."""
        self.status = problem.status
        """HTTP status."""
        self.code = problem.code
        self.errors: list[ProblemDetail] = problem.errors
        """Single findings."""
        self.request_id = problem.request_id
        self.retry_after = retry_after
        """Seconds after which to try again, where the service says so."""
        self.is_retryable = problem.status in {408, 425, 429, 502, 503, 504}
        super().__init__(f"{problem.detail} [{problem.code}]")


class InvalidRequestError(StatusError):
    """The request can never succeed as it is."""


class AuthenticationError(StatusError):
    """The key is missing, unknown, expired or revoked."""


class PaymentRequiredError(StatusError):
    """The account cannot pay."""


class PermissionDeniedError(StatusError):
    """The key lacks the scope."""


class NotFoundError(StatusError):
    """No such object for this account."""


class ConflictError(StatusError):
    """The present state of an object forbids the request."""


class TooLargeError(StatusError):
    """The upload is larger than the service takes."""


class RateLimitedError(StatusError):
    """Too many requests."""


class ServerError(StatusError):
    """The service failed."""


class UnexpectedAnswerError(HbmlcError):
    """The answer is not what the service documents; a proxy may have answered instead."""

    code = "unexpected-answer"


class IntegrityError(HbmlcError):
    """The bytes received differ from their digest."""

    code = "digest-mismatch"
    is_retryable = True


class WaitTimeoutError(HbmlcError):
    """The deadline passed; the work goes on and may be waited for again."""

    code = "wait-timeout"
    is_retryable = True


class CatalogRejectedError(HbmlcError):
    """The uploaded table cannot be used."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        """The catalogue in state REJECTED."""
        self.problem = catalog.problem
        """Why."""
        self.code = catalog.problem.code if catalog.problem else "catalog-rejected"
        detail = catalog.problem.detail if catalog.problem else "The catalogue was rejected."
        super().__init__(f"{detail} [{self.code}]")


class CalibrationFailedError(HbmlcError):
    """The calibration ended in a phase without results."""

    def __init__(self, calibration: Calibration) -> None:
        self.calibration = calibration
        """The calibration as it ended."""
        self.problem = calibration.problem
        """Why, where the service knows."""
        self.code = calibration.problem.code if calibration.problem else "calibration-failed"
        reason = f": {calibration.problem.detail}" if calibration.problem else ""
        super().__init__(f"Calibration {calibration.id} ended as {calibration.phase}{reason}")


class TrainingFailedError(HbmlcError):
    """The training ended in a phase without a version."""

    def __init__(self, training: Training) -> None:
        self.training = training
        """The training as it ended."""
        self.problem = training.problem
        """Why, where the service knows."""
        self.code = training.problem.code if training.problem else "training-failed"
        reason = f": {training.problem.detail}" if training.problem else ""
        super().__init__(f"Training {training.id} ended as {training.phase}{reason}")
