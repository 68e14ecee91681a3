"""Labelled galaxies that no fit ever sees, so that what is reported of them is honest."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray, IntArray

__all__ = ["HOLD_OUT_FRACTION", "is_held_out"]

HOLD_OUT_FRACTION = 0.1
"""Share of the labelled galaxies that is held out."""


def is_held_out(row: IntArray, *, fraction: float, seed: int) -> BoolArray:
    """Whether each galaxy, by its upload position ``(n_galaxies,)``, is held out.

    A pure function of position and seed, so that all stages agree without a list.
    """
    return _uniform(row, seed) < fraction


def _uniform(row: IntArray, seed: int) -> FloatArray:
    """Hash of position and seed as a number in [0, 1): SplitMix64, Steele et al. 2014."""
    start = np.uint64(seed * 0xD1342543DE82EF95 % 2**64)
    with np.errstate(over="ignore"):
        state = row.astype(np.uint64) + start + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state.astype(np.float64) / 2.0**64
