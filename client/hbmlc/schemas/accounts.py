"""What concerns the caller's own account: keys, scopes and metered use."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from hbmlc.schemas.base import Answer, Name, Request
from hbmlc.schemas.jobs import Phase

__all__ = ["ApiKey", "ApiKeyRequest", "Scope", "UsageRecord"]


class Scope(StrEnum):
    """What an API key may do; reading one's own objects needs no scope."""

    CATALOGS_WRITE = "catalogs:write"
    CALIBRATIONS_WRITE = "calibrations:write"
    MODELS_WRITE = "models:write"
    ADMIN = "admin"


class ApiKeyRequest(Request):
    """Asks for a new API key."""

    name: Name
    scopes: list[Scope] = Field(default_factory=list[Scope])
    expires_at: datetime | None = None


class ApiKey(Answer):
    """An API key; ``secret`` is present once, in the answer that creates it."""

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    secret: str | None = None


class UsageRecord(Answer):
    """Metered use of one job."""

    calibration_id: UUID
    """Id of the job, whatever its kind."""
    kind: Literal["calibration", "training"] = "calibration"
    phase: Phase
    n_galaxies: int
    n_tiles: int
    seconds: float
    recorded_at: datetime
