"""Every finding of schemathesis that is none, with its reason; there are no others.

What OpenAPI can say stands in the document instead: an exception is only for rules that depend on
the clock, on what was stored before, or on two parts of a request at once, and for what the
generator takes for valid and is not.
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
    """Where the problem lists findings, those that are meant; empty: it lists none."""
    messages: tuple[str, ...] = ("",)
    """How their messages may begin."""
    reason: str


EXCEPTIONS = (
    Ignored(
        finding=VALID_REFUSED,
        problem="invalid-request",
        pointers=frozenset({"/expires_at"}),
        messages=("body: Value error, must lie in the future",),
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
    Ignored(
        finding=VALID_REFUSED,
        problem="bad-content-digest",
        reason="The generator's coverage phase finds no value for the pattern of this header, and "
        "sends 0 as a valid one.",
    ),
    Ignored(
        finding=VALID_REFUSED,
        problem="invalid-request",
        pointers=frozenset(
            {"/account_id", "/calibration_id", "/catalog_id", "/key_id", "/training_id"}
        ),
        messages=("path: Input should be a valid UUID", "query: Input should be a valid UUID"),
        reason="The generator takes ids out of earlier answers as they come: null for the training "
        "of a shipped model, a column's name, mapping.id, for the id of a catalogue.",
    ),
)


def is_excepted(finding: str, problem: Mapping[str, Any]) -> bool:
    """Whether a finding about an answer is one of the exceptions."""
    return any(_is_meant(known, finding, problem) for known in EXCEPTIONS)


def _is_meant(known: Ignored, finding: str, problem: Mapping[str, Any]) -> bool:
    errors = problem.get("errors", [])
    if known.finding != finding or known.problem != problem.get("code"):
        return False
    return bool(errors) == bool(known.pointers) and all(
        found["pointer"] in known.pointers and found["message"].startswith(known.messages)
        for found in errors
    )
