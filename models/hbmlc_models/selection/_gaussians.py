"""Sums of Gaussians on a grid of log(1+z), in single precision: all that a density is written with.

Only the nodes that a component reaches are visited, with an exponential of plain arithmetic that
the compiler turns into vector instructions (see ``_compiled``).
"""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.selection._compiled import compiled, inlined

__all__ = ["add_gaussian", "finish_density", "in_blocks"]

_FLOOR = np.float32(1e-12)
"""Added to every node, so that no redshift is ever impossible."""
_LANES = 16
"""Nodes in a block, which is one step of vector instructions."""
_N_STRETCHES = 512
"""Stretches of equal length into which nodes are sorted, to find those that a component reaches."""
_LEAST = np.float32(-80.0)
"""Further down the exponential of a single leaves its normal range."""
_LOG2_E = np.float32(1.4426950408889634)
_LN_2_HIGH, _LN_2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_ROUNDER = np.float32(12582912.0)
"""1.5 · 2²³: adding it to a small number leaves the nearest integer in the low bits."""
_ROUNDER_BITS = np.int32(0x4B400000)
_BIAS, _MANTISSA = np.int32(127), np.int32(23)
_C1, _C2, _C3, _C4, _C5, _C6 = (np.float32(1 / n) for n in (1, 2, 6, 24, 120, 720))
"""Coefficients of the exponential's Taylor series."""


@inlined
def _exp(x: np.float32) -> np.float32:
    """Exponential of a number of at most zero, to a few bits of single precision."""
    x = max(x, _LEAST)
    shifted = x * _LOG2_E + _ROUNDER
    n = shifted - _ROUNDER
    r = (x - n * _LN_2_HIGH) - n * _LN_2_LOW
    p = _C6 * r + _C5
    p = p * r + _C4
    p = p * r + _C3
    p = p * r + _C2
    p = p * r + _C1
    p = p * r + _C1
    exponent = np.float32(shifted).view(np.int32) - _ROUNDER_BITS + _BIAS
    return p * np.int32(exponent << _MANTISSA).view(np.float32)


@compiled()
def in_blocks(log1p_z: FloatArray) -> tuple[FloatArray, IntArray]:
    """Nodes ``(n_grid,)`` as single numbers in whole blocks, and where each stretch of them starts.

    Blocks are filled up with the last node.
    """
    n_grid = len(log1p_z)
    nodes = np.empty((n_grid + _LANES - 1) // _LANES * _LANES, np.float32)
    nodes[:n_grid] = log1p_z
    nodes[n_grid:] = log1p_z[-1]
    starts = np.empty(_N_STRETCHES + 1, np.int64)
    step = (log1p_z[-1] - log1p_z[0]) / _N_STRETCHES
    for stretch in range(_N_STRETCHES):
        starts[stretch] = np.searchsorted(log1p_z, log1p_z[0] + stretch * step)
    starts[_N_STRETCHES] = n_grid
    return nodes, starts


@compiled()
def add_gaussian(
    height: float,
    centre: float,
    scale: float,
    reach: float,
    nodes: FloatArray,
    starts: IntArray,
    density: FloatArray,
) -> None:
    """Add ``height`` times a Gaussian in log(1+z) to ``density``, as long as ``nodes``, float32.

    It ends ``reach`` scales from its ``centre``; nodes and starts are those of ``in_blocks``.
    """
    per_stretch = _N_STRETCHES / (nodes[-1] - nodes[0])
    start = (centre - reach * scale - nodes[0]) * per_stretch
    end = (centre + reach * scale - nodes[0]) * per_stretch + 1
    first = starts[int(min(max(start, 0.0), _N_STRETCHES))]
    last = starts[int(min(max(end, 0.0), _N_STRETCHES))]
    peak, middle, precision = np.float32(height), np.float32(centre), np.float32(-0.5 / scale**2)
    for block in range(first // _LANES, (last + _LANES - 1) // _LANES):
        here, reached = density[block * _LANES :], nodes[block * _LANES :]
        for lane in range(_LANES):
            offset = reached[lane] - middle
            here[lane] += peak * _exp(precision * offset * offset)


@compiled()
def finish_density(density: FloatArray, nodes: FloatArray, row: FloatArray) -> None:
    """Fill ``row`` ``(n_grid,)`` with p(z) of sum one from a ``density`` in log(1+z)."""
    # dz = (1+z) dlog(1+z).
    for node in range(len(nodes)):
        density[node] = density[node] * _exp(-nodes[node]) + _FLOOR
    norm = 0.0
    for node in range(len(row)):
        norm += density[node]
    scale = 1 / norm
    for node in range(len(row)):
        row[node] = density[node] * scale
