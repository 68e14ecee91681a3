"""What concerns the caller's own account: keys, scopes and metered use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from hbmlc.schemas.base import Answer, Name, Request
from hbmlc.schemas.jobs import Phase

__all__ = [
    "Account",
    "AccountRequest",
    "ApiKey",
    "ApiKeyRequest",
    "AuditEvent",
    "OperatorKey",
    "OperatorKeyRequest",
    "Scope",
    "UsageRecord",
]

LONGEST_LIFE = timedelta(days=3660)


def _in_time(moment: datetime) -> datetime:
    now = datetime.now(UTC)
    if not now < moment <= now + LONGEST_LIFE:
        raise ValueError("must lie in the future, within ten years")
    return moment


Expiry = Annotated[AwareDatetime, AfterValidator(_in_time)]
"""When a key ends: a moment with a time zone, to come and not too far."""


class Scope(StrEnum):
    """What an API key may do within its account; reading one's own objects needs no scope.

    ``admin`` carries the others and makes keys. No scope reaches beyond the account.
    """

    CATALOGS_WRITE = "catalogs:write"
    CALIBRATIONS_WRITE = "calibrations:write"
    MODELS_WRITE = "models:write"
    ADMIN = "admin"


class ApiKeyRequest(Request):
    """Asks for a new API key."""

    name: Name
    scopes: list[Scope] = Field(default_factory=list[Scope], max_length=len(Scope))
    expires_at: Expiry | None = None


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


class Account(Answer):
    """One customer; every object but shipped models belongs to one."""

    id: UUID
    name: str
    created_at: datetime


class AccountRequest(Request):
    """Asks an operator's key for a new account."""

    name: Name


class OperatorKeyRequest(Request):
    """Asks for a new operator's key."""

    name: Name
    expires_at: Expiry | None = None


class OperatorKey(Answer):
    """A key of those who run the service; ``secret`` is present once."""

    id: UUID
    name: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    secret: str | None = None


class AuditEvent(Answer):
    """One change that somebody asked for."""

    id: UUID
    account_id: UUID | None = None
    """Account whose object it was; ``None`` for what belongs to nobody, as a shipped model."""
    actor: str
    """``key <id>`` or ``operator <id>``."""
    action: str
    """Kind of object and what was done, as ``catalog.delete``."""
    object_id: str | None = None
    request_id: str | None = None
    created_at: datetime


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
