"""What all documents share."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints

__all__ = ["Answer", "Name", "Page", "Request"]

ItemT = TypeVar("ItemT", bound=BaseModel)
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Answer(BaseModel):
    """A document of the service; unknown fields come from a newer service and are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Request(BaseModel):
    """A document of a client; an unknown field is a typing mistake and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Answer, Generic[ItemT]):
    """One page of a listing; ``next_cursor`` asks for the one after it."""

    items: list[ItemT]
    next_cursor: str | None = None
