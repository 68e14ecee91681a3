"""A look at the heaps of texts and links in an HDF5 file before the library opens one.

The library goes through the objects of a heap by their sizes, and round in circles where one is
zero or so large that it leads back: nothing but the end of the process stops it.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from hbmlc_models.formats.errors import TruncatedFileError

__all__ = ["check_heaps"]

_START = b"GCOL\x01\x00\x00\x00"
"""Signature and version of a collection of heap objects."""
_COLLECTION = struct.Struct("<8sQ")
_OBJECT = struct.Struct("<HHIQ")
"""Index, references, nothing, and size; the size of free space contains this header."""


def check_heaps(source: Path) -> None:
    """Raise where a heap of the file has an object that does not fit into it."""
    if not source.stat().st_size:
        return
    with (
        source.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        start = content.find(_START)
        while start >= 0:
            end = _checked(content, start)
            start = content.find(_START, end)


def _checked(content: mmap.mmap, start: int) -> int:
    """Byte from which on to look for the next heap."""
    at = start + _COLLECTION.size
    if at > len(content):
        return len(content)
    _, size = _COLLECTION.unpack_from(content, start)
    end = min(start + size, len(content))
    while at + _OBJECT.size <= end:
        index, _, _, n_bytes = _OBJECT.unpack_from(content, at)
        if n_bytes > end - at or (index == 0 and n_bytes == 0):
            raise TruncatedFileError(
                "A heap of the HDF5 file is damaged; write the file again, or upload it again in "
                "full."
            )
        at += n_bytes if index == 0 else _OBJECT.size + -(-n_bytes // 8) * 8
    return start + len(_START)
