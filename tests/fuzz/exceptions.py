"""Every finding of schemathesis that is none, with its reason; there are no others.

What OpenAPI can say stands in the document instead: an exception is only for rules that depend on
the clock, on what was stored before, or on two parts of a request at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["EXCEPTIONS", "is_excepted"]

VALID_REFUSED = "ST202"
"""A request that fits the document was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A finding that is right to be ignored: its code, and the problem that was answered."""

    finding: str
    problem: str
    pointers: frozenset[str] = frozenset()
    """Where the problem has findings, those that are meant; empty: whatever they are."""
    reason: str


EXCEPTIONS = (
    Ignored(
        finding=VALID_REFUSED,
        problem="invalid-request",
        pointers=frozenset({"/expires_at"}),
        reason="An end lies in the future, within ten years: no schema knows what time it is.",
    ),
    Ignored(
        finding=VALID_REFUSED,
        problem="idempotency-key-reused",
        reason="The key was used with another body: 422, as the draft of the header has it.",
    ),
    Ignored(
        finding=VALID_REFUSED,
        problem="digest-mismatch",
        reason="A well-formed digest that is not that of the body: no schema compares the two.",
    ),
)


def is_excepted(finding: str, problem: Mapping[str, Any]) -> bool:
    """Whether a finding about an answer is one of the exceptions."""
    pointers = {found["pointer"] for found in problem.get("errors", [])}
    return any(
        known.finding == finding
        and known.problem == problem.get("code")
        and (not known.pointers or (bool(pointers) and pointers <= known.pointers))
        for known in EXCEPTIONS
    )
