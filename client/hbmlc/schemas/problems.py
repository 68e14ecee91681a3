"""Problem documents, RFC 9457."""

from __future__ import annotations

from pydantic import Field

from hbmlc.schemas.base import Answer

__all__ = ["Problem", "ProblemDetail"]


class ProblemDetail(Answer):
    """One finding of a problem."""

    pointer: str | None = None
    """JSON pointer into the request body, or ``row``/``column`` of a catalogue."""
    message: str


class Problem(Answer):
    """A problem document, RFC 9457 (``application/problem+json``)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    """What was found and what to do about it."""
    instance: str | None = None
    code: str
    """Stable machine-readable name of the problem."""
    errors: list[ProblemDetail] = Field(default_factory=list[ProblemDetail])
    request_id: str | None = None
