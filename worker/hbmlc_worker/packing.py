"""Several byte strings in one object: a unit of merged small tiles is written and read at once.

Layout, little endian: the number of parts, the length of each (all uint64), then the parts.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

__all__ = ["pack", "unpack"]


def pack(parts: Sequence[bytes]) -> bytes:
    """Join parts; the same parts give the same bytes."""
    lengths = [len(part) for part in parts]
    return b"".join([struct.pack(f"<{len(parts) + 1}Q", len(parts), *lengths), *parts])


def unpack(data: bytes) -> list[bytes]:
    """Split what ``pack`` joined.

    Raises
    ------
    ValueError
        The lengths do not add up: the object is damaged.
    """
    if len(data) < 8:  # noqa: PLR2004 - one uint64
        raise ValueError("a packed object has at least 8 bytes")
    (count,) = struct.unpack_from("<Q", data)
    start = 8 * (count + 1)
    if len(data) < start:
        raise ValueError(f"a packed object of {count} parts ends within its lengths")
    lengths = struct.unpack_from(f"<{count}Q", data, 8)
    if start + sum(lengths) != len(data):
        raise ValueError(f"a packed object has {len(data)} bytes, not {start + sum(lengths)}")
    parts: list[bytes] = []
    for length in lengths:
        parts.append(data[start : start + length])
        start += length
    return parts
