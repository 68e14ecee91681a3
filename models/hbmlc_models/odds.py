"""Weights of labelled galaxies that stand for unlabelled ones: truncated odds of selection."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["MAX_RELATIVE_ODDS", "truncated", "unselected_odds"]

MAX_RELATIVE_ODDS = 10.0
"""Odds end at so many times what is typical: one rare galaxy must not stand for a sky."""
MIN_RELATIVE_ODDS = 1e-3
"""And here: where some were certain to be selected, they still have to weigh something."""


def unselected_odds(propensity: FloatArray) -> FloatArray:
    """Unlabelled galaxies that each one stands for, (1-s)/s of p(S=1 given F), same shape."""
    return (1 - propensity) / np.maximum(propensity, 1e-9)


def truncated(odds: FloatArray, *, typical: float) -> FloatArray:
    """Odds held within their limits around a typical value, same shape.

    Examples
    --------
    >>> truncated(np.array([0.0, 4.0, 99.0]), typical=2.0)
    array([2.e-03, 4.e+00, 2.e+01])
    """
    return np.clip(odds, MIN_RELATIVE_ODDS * typical, MAX_RELATIVE_ODDS * typical)
