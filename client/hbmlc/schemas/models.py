"""Model versions and the aliases that move between them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field, JsonValue

from hbmlc.schemas.base import Answer, Request

__all__ = ["GateVerdict", "ModelAlias", "ModelAliasRequest", "ModelPin", "ModelVersion"]


class ModelPin(Answer):
    """The model version that a calibration is bound to."""

    name: str
    version: int
    digest: str | None = None


class GateVerdict(Answer):
    """Whether a newly trained version beats the one that it should replace, and why."""

    is_better: bool
    reason: str
    """The verdict in words."""
    compared_with: str | None = None
    """The other version, ``name:version``; ``None`` where there was none to beat."""
    n_held_out: int
    """Labelled galaxies that neither version has learnt from."""
    difference: float | None = None
    """Weighted CDE loss of the new version minus the other's; negative is better."""
    standard_error: float | None = None
    """Its standard error."""


class ModelAlias(Answer):
    """A moving name of a model version, or where it pointed before."""

    name: str
    alias: str
    version: int
    updated_at: datetime
    """Since when."""
    replaced_at: datetime | None = None
    """Until when; ``None`` for the present setting."""
    set_by: str | None = None
    """Who set it: ``release``, ``key <id>`` or ``training <id>``."""
    verdict: GateVerdict | None = None
    """What the gate said, where a training set it."""


class ModelAliasRequest(Request):
    """Points an alias at a version."""

    version: int = Field(ge=1, lt=2**31)


class ModelVersion(Answer):
    """An immutable version of a model."""

    name: str
    version: int
    digest: str
    bands: list[str]
    card: dict[str, JsonValue]
    aliases: list[str] = Field(default_factory=list[str])
    is_shipped: bool = True
    """Whether it came with a release and serves everybody; else it is the account's own."""
    training_id: UUID | None = None
    """Training that made it."""
    created_at: datetime
