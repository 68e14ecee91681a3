"""One line instead of a traceback, for what an operator can mend."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer
from sqlalchemy.exc import OperationalError

from hbmlc_store.errors import SetupError, StoreError

__all__ = ["plain_errors"]

P = ParamSpec("P")
R = TypeVar("R")


def plain_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Make a command say in one line what is wrong, and end with status 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (SetupError, StoreError) as exc:
            reason = str(exc)
        except OperationalError as exc:
            # The driver names host and user, never the password.
            reason = f"The database does not answer: {str(exc.orig).partition(chr(10))[0]}"
        name = command.__name__.strip("_").replace("_", "-")
        print(f"hbmlc {name}: {reason}", file=sys.stderr)  # noqa: T201 - the command's own voice
        raise typer.Exit(1)

    return run
