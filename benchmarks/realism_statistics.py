"""What a catalogue looks like in numbers: colours by redshift, redshifts by magnitude."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray

__all__ = ["MAG_STEP", "Z_EDGES", "Key", "Sample", "Statistics", "statistics_of"]

Z_EDGES = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0])
"""Bins of redshift."""
MAG_STEP = 0.75
"""Width of the bins of magnitude, counted from the faintest galaxy."""
N_MAG_BINS = 5
MIN_GALAXIES = 30
"""Galaxies that a bin needs to be spoken of."""
MAX_ERR = 0.2
"""Largest magnitude error of a band that enters a colour."""
ORDER_BANDS = ("i", "r", "I", "R")
"""The first of these that a catalogue has orders its galaxies by brightness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A catalogue whose redshifts are known."""

    bands: tuple[str, ...]
    """Bands in order of wavelength."""
    mag: FloatArray
    """AB magnitudes ``(n, n_bands)``; not finite where not detected."""
    mag_err: FloatArray
    """Their errors, alike."""
    z: FloatArray
    """True redshifts ``(n,)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Name of one number."""

    what: str
    """Colour, or ``z``."""
    where: str
    """Bin."""
    statistic: str
    """``median`` or ``half width``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Numbers that describe a sample."""

    bands: tuple[str, ...]
    """Its bands."""
    values: dict[Key, float]
    """The numbers."""
    bins: dict[str, tuple[float, float]]
    """Edges of the bins by name."""


def statistics_of(sample: Sample) -> Statistics:
    """Median and half of the central 68 % of colours by redshift, and of redshifts by magnitude."""
    values: dict[Key, float] = {}
    bins: dict[str, tuple[float, float]] = {}
    bands = sample.bands
    for blue, (one, other) in enumerate(pairwise(bands)):
        pair = slice(blue, blue + 2)
        usable = np.isfinite(sample.mag[:, pair]).all(axis=1) & (
            sample.mag_err[:, pair] < MAX_ERR
        ).all(axis=1)
        with np.errstate(invalid="ignore"):
            colour = sample.mag[:, blue] - sample.mag[:, blue + 1]
        for where, edges, inside in _redshift_bins(sample.z):
            bins[where] = edges
            _describe(values, f"{one} − {other}", where, colour[usable & inside])
    for where, edges, inside in _mag_bins(sample):
        bins[where] = edges
        _describe(values, "z", where, sample.z[inside])
    return Statistics(bands=bands, values=values, bins=bins)


def _describe(values: dict[Key, float], what: str, where: str, drawn: FloatArray) -> None:
    """Add the two numbers of a bin, if it has enough galaxies."""
    if len(drawn) < MIN_GALAXIES:
        return
    low, middle, high = np.quantile(drawn, [0.16, 0.5, 0.84])
    values[Key(what=what, where=where, statistic="median")] = float(middle)
    values[Key(what=what, where=where, statistic="half width")] = float(high - low) / 2


def _redshift_bins(z: FloatArray) -> Iterator[tuple[str, tuple[float, float], BoolArray]]:
    """Name, edges and members of the bins of redshift."""
    for low, high in pairwise(Z_EDGES.tolist()):
        yield f"{low:g} < z < {high:g}", (low, high), (z >= low) & (z < high)


def _mag_bins(sample: Sample) -> Iterator[tuple[str, tuple[float, float], BoolArray]]:
    """Name, edges and members of the bins of magnitude, faintest last."""
    band = next(name for name in (*ORDER_BANDS, *sample.bands) if name in sample.bands)
    mag = sample.mag[:, sample.bands.index(band)]
    limit = round(float(np.max(mag[np.isfinite(mag)])), 1)
    for number in range(N_MAG_BINS, 0, -1):
        low, high = limit - number * MAG_STEP, limit - (number - 1) * MAG_STEP
        yield f"{low:.2f} < {band} < {high:.2f}", (low, high), (mag >= low) & (mag < high)
