"""What is wrong with a document, told by the places that its author knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["faults_of"]

Place = tuple[str | int, ...]


def faults_of(errors: Iterable[ErrorDetails], document: object) -> dict[Place, str]:
    """Messages by the place in the document; what several types say of one place is joined.

    A field that may be of several types names them in the places that pydantic gives; they are no
    places of the document. Where one of the types fits but for a part, that part is at fault.
    """
    found: dict[Place, list[str]] = {}
    for error in errors:
        place = _place(error, document)
        said = found.setdefault(place, [])
        if error["msg"] not in said:
            said.append(error["msg"])
    outer = {place[:depth] for place in found for depth in range(len(place))}
    return {place: " or: ".join(said) for place, said in found.items() if place not in outer}


def _place(error: ErrorDetails, document: Any) -> Place:
    first = error["loc"][:1]
    if error["type"] == "json_invalid" or not (first and _holds(document, first[0])):
        # Not within the document: a parameter of the request, or a place in its bytes.
        return error["loc"]
    parts: list[str | int] = []
    last = len(error["loc"]) - 1
    for index, part in enumerate(error["loc"]):
        if _holds(document, part):
            parts.append(part)
            document = document[part]
        elif index == last and error["type"] == "missing":
            parts.append(part)
    return tuple(parts)


def _holds(document: Any, part: str | int) -> bool:
    if isinstance(document, Mapping):
        return part in document
    return isinstance(document, list | tuple) and isinstance(part, int) and part < len(document)
