"""What a flow may ask to be done, and the outcomes it is sent back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypeVar

__all__ = [
    "Answer",
    "Effect",
    "Failure",
    "FileFacts",
    "Flow",
    "Inspect",
    "Move",
    "Outcome",
    "ProgressCallback",
    "Request",
    "Send",
    "Sleep",
    "Store",
]

T = TypeVar("T")

ProgressCallback: TypeAlias = Callable[[int, int | None], None]
"""Told the bytes done and, where known, in all."""


def _nothing() -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=_nothing)
    headers: Mapping[str, str] = field(default_factory=_nothing)
    body: bytes | None = None
    upload: Path | None = None
    """File that is streamed as the body."""
    timeout: float | None = None
    """Seconds without a byte after which to give up, where not the client's own."""
    is_repeatable: bool = True
    """Whether sending it twice does no harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """No answer came."""

    reason: str
    is_timeout: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What a file holds; a missing one has no bytes."""

    size: int
    digest: str | None = None
    """Hexadecimal sha256, where asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send a request and read the answer; outcome ``Answer`` or ``Failure``."""

    request: Request
    on_progress: ProgressCallback | None = None
    """Told of the upload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Send a request and stream a successful answer to a file; outcome as for ``Send``.

    An answer 206 is appended at ``offset``, an answer 200 replaces the file.
    """

    request: Request
    path: Path
    offset: int
    on_progress: ProgressCallback | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """Wait; outcome ``None``."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspect:
    """Look at a file; outcome ``FileFacts``."""

    path: Path
    with_digest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Rename a file over another; outcome ``None``."""

    source: Path
    destination: Path


Effect: TypeAlias = Send | Store | Sleep | Inspect | Move
Outcome: TypeAlias = Answer | Failure | FileFacts | None
Flow: TypeAlias = Generator[Effect, Outcome, T]
"""A call of the SDK: yields effects, is sent outcomes, returns the result."""
