"""What a place for objects has to do, and what it answers with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from hbmlc_store.errors import ConflictError

__all__ = ["CHUNK_BYTES", "Attributes", "Listed", "Place", "Stored", "object_exists", "pieces_of"]

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What was written."""

    size_bytes: int
    digest: str
    """Hexadecimal sha256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One object as a listing shows it."""

    key: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """How an object introduces itself to those who download it from the store directly."""

    media_type: str | None = None
    download_name: str | None = None
    """File name under which a browser keeps it."""

    def headers(self) -> dict[str, str]:
        """Give the headers that they stand for."""
        found: dict[str, str] = {}
        if self.media_type is not None:
            found["Content-Type"] = self.media_type
        if self.download_name is not None:
            found["Content-Disposition"] = f'attachment; filename="{self.download_name}"'
        return found


class Place(Protocol):
    """A disk or a bucket; keys were checked before.

    Everything raises ``StoreUnavailableError`` where the place does not answer, and reads raise
    ``NotFoundError`` where there is no such object.
    """

    def write(self, key: str, pieces: Iterable[bytes], size: int, attributes: Attributes) -> None:
        """Write ``size`` bytes, in place of what was there; all or nothing."""
        ...

    async def create(self, key: str, pieces: AsyncIterator[bytes], *, max_bytes: int) -> None:
        """Write a stream unless there is an object; an error of the stream leaves nothing."""
        ...

    def read(self, key: str) -> bytes:
        """Read an object whole."""
        ...

    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Open the object now and give an iterator over some of its bytes."""
        ...

    def lend(
        self, key: str, *, scratch: Path | None, digest: str | None
    ) -> AbstractContextManager[Path]:
        """Lend the object as a file with the sha256 that is expected of it."""
        ...

    def size(self, key: str) -> int | None:
        """Length of an object [bytes]; ``None`` if there is none."""
        ...

    def listing(self, prefix: str) -> Iterator[Listed]:
        """Give everything below a prefix, drafts too; an empty prefix stands for all."""
        ...

    def delete(self, keys: list[str]) -> None:
        """Delete objects; what is not there is no error."""
        ...

    def sweep_drafts(self, *, older_than: float) -> int:
        """Delete what writers that are gone left half written; returns how many."""
        ...

    def probe(self, key: str) -> None:
        """Write a small object and delete it, within the time of a probe."""
        ...

    def sign(self, method: str, key: str, seconds: int) -> str | None:
        """Make an address that is good without a key; ``None`` where there are none."""
        ...


def pieces_of(file: Path) -> Generator[bytes]:
    """Give a file's content in pieces."""
    with file.open("rb") as source:
        while piece := source.read(CHUNK_BYTES):
            yield piece


def object_exists(key: str) -> ConflictError:
    """Make the error of who would replace an object that is written once."""
    return ConflictError(
        "object-exists", f"There is an object under {key} already; it is written once."
    )
