"""Arrays on scratch disk, larger than memory if need be."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

__all__ = ["ScratchMap"]


@dataclass(frozen=True, slots=True)
class ScratchMap:
    """Memory map of a new file, all zeros at first."""

    values: npt.NDArray[Any]
    """What it holds; valid as long as the map."""
    _pages: mmap.mmap

    @classmethod
    def create(cls, path: Path, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> Self:
        """Map a new file at ``path``."""
        size = prod(shape) * np.dtype(dtype).itemsize
        with path.open("w+b") as file:
            file.truncate(size)
            pages = mmap.mmap(file.fileno(), size)
        return cls(np.frombuffer(pages, dtype=dtype).reshape(shape), pages)

    def release(self) -> None:
        """Give the memory back; the file keeps what it held, and the next look reads it again.

        Pages that were touched count as the process's own until then, all of them after one pass.
        """
        self._pages.madvise(mmap.MADV_DONTNEED)
