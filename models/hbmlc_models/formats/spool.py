"""Named arrays of one tile after another, kept on disk until all tiles have been seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os import SEEK_END
from pathlib import Path
from typing import Any, Self

from hbmlc_models.formats import arrays

__all__ = ["Spool", "Spooled"]


class Spooled:
    """A dataclass of arrays that a spool can keep."""

    __slots__ = ()

    def arrays(self) -> Mapping[str, Any]:
        """Arrays by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """Record from arrays by name."""
        return cls(**arrays)


class Spool:
    """A file of tiles, written once and read in the same order as often as needed.

    Memory holds one tile and the length of each.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._lengths: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._lengths)

    def append(self, tile: Mapping[str, Any]) -> None:
        """Add the arrays of one tile."""
        content = arrays.dump(tile, {})
        self._file.seek(0, SEEK_END)
        self._file.write(content)
        self._lengths.append(len(content))

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        start = 0
        for length in self._lengths:
            self._file.seek(start)
            yield arrays.load(self._file.read(length))[0]
            start += length

    def close(self) -> None:
        """Close the file; who made its folder removes it."""
        self._file.close()
