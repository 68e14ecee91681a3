"""Exit codes of the command, the same for all subcommands."""

from __future__ import annotations

from enum import IntEnum

from hbmlc.errors import (
    AuthenticationError,
    ConfigurationError,
    HbmlcError,
    IntegrityError,
    PermissionDeniedError,
    TransportError,
    WaitTimeoutError,
)

__all__ = ["ExitCode", "exit_code_of"]


class ExitCode(IntEnum):
    """What the status of the process says."""

    OK = 0
    """Done."""
    FAILED = 1
    """The service refused, or the calibration failed; the message says why."""
    USAGE = 2
    """Wrong arguments."""
    UNREACHABLE = 3
    """No service: none named, none answers, or none could be started."""
    NOT_ALLOWED = 4
    """The key is missing, wrong or lacks the scope."""
    TIMEOUT = 5
    """Not finished in time; the work goes on."""
    NOT_INSTALLED = 6
    """The command belongs to an extra that is not installed."""
    INTERRUPTED = 130
    """Stopped with Ctrl-C."""


def exit_code_of(error: HbmlcError) -> ExitCode:
    """Exit code for an error of the SDK."""
    match error:
        case ConfigurationError() | TransportError():
            return ExitCode.UNREACHABLE
        case AuthenticationError() | PermissionDeniedError():
            return ExitCode.NOT_ALLOWED
        case WaitTimeoutError():
            return ExitCode.TIMEOUT
        case IntegrityError() | _:
            return ExitCode.FAILED
