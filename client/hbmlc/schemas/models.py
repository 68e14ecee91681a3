"""Model versions and the aliases that move between them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, JsonValue

from hbmlc.schemas.base import Answer, Request

__all__ = ["ModelAlias", "ModelAliasRequest", "ModelPin", "ModelVersion"]


class ModelPin(Answer):
    """The model version that a calibration is bound to."""

    name: str
    version: int
    digest: str | None = None


class ModelAlias(Answer):
    """A moving name of a model version."""

    name: str
    alias: str
    version: int
    updated_at: datetime


class ModelAliasRequest(Request):
    """Points an alias at a version."""

    version: int = Field(ge=1)


class ModelVersion(Answer):
    """An immutable version of a model."""

    name: str
    version: int
    digest: str
    bands: list[str]
    card: dict[str, JsonValue]
    aliases: list[str] = Field(default_factory=list[str])
    created_at: datetime
