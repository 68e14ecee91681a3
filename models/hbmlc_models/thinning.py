"""Some of many rows, evenly taken."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import IntArray

__all__ = ["evenly"]


def evenly(n: int, at_most: int) -> IntArray:
    """Positions of ``at_most`` of ``n`` rows, first and last included, or of all that there are."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, at_most)).astype(int))
