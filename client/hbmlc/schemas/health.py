"""Whether the service is well."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hbmlc.schemas.base import Answer

__all__ = ["Health", "Readiness"]


class Health(Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class Readiness(Answer):
    """Whether the parts that the service leans on work."""

    status: Literal["ready", "not-ready"]
    checks: dict[str, str]
    """Part to ``ok`` or to what is wrong with it."""
    oldest_message_seconds: float | None = None
    """Age of the oldest message not yet handed to the broker."""
    oldest_ready_unit_seconds: dict[str, float] = Field(default_factory=dict)
    """Queue to the age of the unit that has waited longest for a worker of it."""
