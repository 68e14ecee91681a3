"""Groups of galaxies that a method is judged by: magnitude, redshift, propensity."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.photometry import Photometry

__all__ = ["fifths", "galaxy_groups"]

MIN_GALAXIES = 50
"""Fewer give no figure of merit worth keeping."""
_Z_EDGES = (0.0, 0.5, 1.0, 1.5, np.inf)


def galaxy_groups(
    photometry: Photometry, z_true: FloatArray, p_selected: FloatArray
) -> dict[str, BoolArray]:
    """Label to members ``(n_galaxies,)``; groups too small to judge are left out.

    Magnitudes are those of the i band, else of the middle one, in steps of one; propensity is cut
    into fifths, the least likely galaxies first.
    """
    groups = {"all": np.ones(len(z_true), dtype=bool)}
    bands = photometry.bands
    band = "i" if "i" in bands else bands[len(bands) // 2]
    mag = photometry.mag[:, bands.index(band)]
    for low in range(15, 28):
        groups[f"{low} < {band} < {low + 1}"] = (mag >= low) & (mag < low + 1)
    for low, high in pairwise(_Z_EDGES):
        label = f"z > {low:g}" if np.isinf(high) else f"{low:g} < z < {high:g}"
        groups[label] = (z_true >= low) & (z_true < high)
    for number, members in enumerate(fifths(p_selected), start=1):
        groups[f"propensity fifth {number}"] = members
    return {label: members for label, members in groups.items() if members.sum() >= MIN_GALAXIES}


def fifths(values: FloatArray) -> list[BoolArray]:
    """Five groups of ascending ``values`` ``(n,)``, as equal in number as can be."""
    rank = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return [rank * 5 // len(values) == number for number in range(5)]
