"""What all documents share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

__all__ = ["PLAIN_TEXT", "Answer", "Name", "Page", "Request", "is_plain_text"]

ItemT = TypeVar("ItemT", bound=BaseModel)
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]

MAX_TEXT = 2_000
"""Longest text anywhere in a request; fields have tighter limits of their own [characters]."""
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Control characters, those that turn the direction of writing included."""
_ODD = re.compile(rf"[{_CONTROLS}\ud800-\udfff]")
"""What no text holds: controls and halves of surrogate pairs."""
_TIGHTER = {"pattern", "format", "enum", "const"}
PLAIN_TEXT = rf"^[^{_CONTROLS}]*$"
"""The same for documents of schemas; they need not name halves of pairs, which no JSON can hold."""


class Answer(BaseModel):
    """A document of the service; unknown fields come from a newer service and are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Request(BaseModel):
    """A document of a client; an unknown field is a typing mistake and is refused.

    So is any text, a key among them, that holds control characters or is no text at all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_odd_text(cls, value: object) -> object:
        for text in _texts_of(value):
            if not is_plain_text(text):
                raise ValueError(
                    f"a text has control characters, or more than {MAX_TEXT} characters; "
                    "send printable text"
                )
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Give the schema, which says of every free text and key that it is plain."""
        found = handler(core_schema)
        _say_plain(handler.resolve_ref_schema(found).get("properties", {}))
        return found


class Page(Answer, Generic[ItemT]):
    """One page of a listing; ``next_cursor`` asks for the one after it."""

    items: list[ItemT]
    next_cursor: str | None = None


def is_plain_text(text: str) -> bool:
    """Whether a text may be stored and shown: printable, of bounded length."""
    return len(text) <= MAX_TEXT and _ODD.search(text) is None


def _say_plain(schema: Any) -> None:
    """Put the rule for texts into each part of a schema that has no tighter one."""
    if isinstance(schema, list):
        for part in cast("list[Any]", schema):
            _say_plain(part)
    elif isinstance(schema, dict):
        parts = cast("dict[str, Any]", schema)
        for part in parts.values():
            _say_plain(part)
        if parts.get("type") == "string" and not _TIGHTER & parts.keys():
            parts["pattern"] = PLAIN_TEXT
        if parts.get("type") == "object":
            parts.setdefault("propertyNames", {})["pattern"] = PLAIN_TEXT


def _texts_of(value: object) -> Iterator[str]:
    """Every text in a document, keys included; deeper models look after themselves."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, held in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from _texts_of(key)
            yield from _texts_of(held)
    elif isinstance(value, list | tuple):
        for held in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _texts_of(held)
