"""Array types that the whole science shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BoolArray", "FloatArray", "IntArray", "ShapeMismatchError", "StrArray"]

FloatArray = npt.NDArray[np.floating[Any]]
"""Real numbers; NaN means "not observed" and nothing else."""
BoolArray = npt.NDArray[np.bool_]
"""Masks."""
IntArray = npt.NDArray[np.integer[Any]]
"""Indices and counts."""
StrArray = npt.NDArray[np.str_]
"""Names."""


class ShapeMismatchError(ValueError):
    """Arrays that must agree in shape do not; the message shows both shapes."""

    def __init__(self, name: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        self.name = name
        """The array that does not fit."""
        self.found = found
        """Its shape."""
        self.wanted = wanted
        """The shape that the other arrays call for."""
        super().__init__(f"{name} has shape {found}, expected {wanted}")
