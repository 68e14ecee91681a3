"""The header of an HDF5 object, read before the library opens it.

To open a dataset whose values lie in other files makes the library take apart what stands in place
of them, and damage there corrupts its memory. So the header is asked first, as the HDF5 File Format
Specification (version 3, sections II and IV.A) lays it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from hbmlc_models.formats.errors import TruncatedFileError

__all__ = ["HeaderReader"]

_OLD_SUPERBLOCKS = frozenset({0, 1})
_CONTINUATION, _LAYOUT, _EXTERNAL_FILES = 0x10, 0x08, 0x07
_VIRTUAL = 3
"""Class of a layout whose values lie in other datasets."""
_SMALL_LAYOUTS = frozenset({1, 2})
"""Versions of a layout in which the number of axes comes before the class."""
_MOST_CHUNKS = 1_000
_LONGEST_CHUNK = 64 * 2**20
_V1, _V2, _NEXT = b"\x01", b"OHDR", b"OCHK"
_TIMES, _PHASES, _ORDER = 0x20, 0x10, 0x04
"""Flags of what a header of version 2 has besides messages."""


class HeaderReader:
    """Reads headers of objects by their addresses."""

    def __init__(self, source: Path) -> None:
        self._file: IO[bytes] = source.open("rb")
        head = self._file.read(16)
        sizes = head[13:15] if head[8] in _OLD_SUPERBLOCKS else head[9:11]
        self._offset_bytes, self._length_bytes = sizes[0], sizes[1]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def is_outside(self, address: int) -> bool:
        """Whether the values of the object at ``address`` lie in other files."""
        for kind, body in self._messages(address):
            if kind == _EXTERNAL_FILES:
                return True
            if kind == _LAYOUT and len(body) > 2:  # noqa: PLR2004 -- version, axes and class
                place = 2 if body[0] in _SMALL_LAYOUTS else 1
                if body[place] == _VIRTUAL:
                    return True
        return False

    def _messages(self, address: int) -> Iterator[tuple[int, bytes]]:
        """Types and bodies of the messages of a header, those in further chunks among them."""
        chunk, is_new, has_order = self._first_chunk(address)
        waiting, seen = [chunk], {address}
        while waiting:
            chunk = waiting.pop()
            for kind, body in _in_chunk(chunk, is_new=is_new, has_order=has_order):
                yield kind, body
                if kind == _CONTINUATION:
                    offset = int.from_bytes(body[: self._offset_bytes], "little")
                    end = self._offset_bytes + self._length_bytes
                    length = int.from_bytes(body[self._offset_bytes : end], "little")
                    if offset in seen or len(seen) > _MOST_CHUNKS:
                        raise _damaged()
                    seen.add(offset)
                    further = self._read(offset, length)
                    waiting.append(further[len(_NEXT) : -4] if is_new else further)

    def _first_chunk(self, address: int) -> tuple[bytes, bool, bool]:
        """Messages right below the head of a header, and how they are written."""
        head = self._read(address, 16)
        if head.startswith(_V1):
            return self._read(address + 16, int.from_bytes(head[8:12], "little")), False, False
        if not head.startswith(_V2):
            raise _damaged()
        flags = head[5]
        at = address + 6 + (16 if flags & _TIMES else 0) + (4 if flags & _PHASES else 0)
        width = 1 << (flags & 3)
        size = int.from_bytes(self._read(at, width), "little")
        return self._read(at + width, size), True, bool(flags & _ORDER)

    def _read(self, address: int, length: int) -> bytes:
        """Bytes at a place, all of which must be there."""
        if not 0 <= length <= _LONGEST_CHUNK or not 0 <= address < 2**62:
            raise _damaged()
        self._file.seek(address)
        found = self._file.read(length)
        if len(found) < length:
            raise _damaged()
        return found


def _in_chunk(chunk: bytes, *, is_new: bool, has_order: bool) -> Iterator[tuple[int, bytes]]:
    """Messages in one chunk of a header."""
    at, before = 0, 4 + (2 if has_order else 0) if is_new else 8
    while at + before <= len(chunk):
        if is_new:
            kind, size = chunk[at], int.from_bytes(chunk[at + 1 : at + 3], "little")
        else:
            kind = int.from_bytes(chunk[at : at + 2], "little")
            size = int.from_bytes(chunk[at + 2 : at + 4], "little")
        yield kind, chunk[at + before : at + before + size]
        at += before + size


def _damaged() -> TruncatedFileError:
    return TruncatedFileError(
        "The header of an HDF5 object is damaged; write the file again, or upload it again in full."
    )
