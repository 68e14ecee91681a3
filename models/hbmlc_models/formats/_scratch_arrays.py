"""Arrays on scratch disk, larger than memory if need be."""

from __future__ import annotations

import mmap
import os
import sys
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ScratchArrays"]


class ScratchArrays:
    """Memory maps of new files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._maps: list[mmap.mmap] = []

    def create(self, name: str, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """Map a new file of this name; all zeros at first.

        Raises
        ------
        OSError
            The disk has no room for it.
        """
        size = prod(shape) * np.dtype(dtype).itemsize
        with (self._folder / name).open("w+b") as file:
            file.truncate(size)
            # A disk that is full once the map is written to kills the process.
            if sys.platform == "linux":
                os.posix_fallocate(file.fileno(), 0, size)
            pages = mmap.mmap(file.fileno(), size)
        self._maps.append(pages)
        return np.frombuffer(pages, dtype=dtype).reshape(shape)

    def release(self) -> None:
        """Give the memory back; files keep what they held, and the next look reads it again.

        Pages that were touched count as the process's own until then, all of them after one pass.
        """
        for pages in self._maps:
            pages.madvise(mmap.MADV_DONTNEED)
