"""Compiled p(z) of the network's mixture, in single precision: microseconds matter here.

A galaxy at a time, with only the nodes that a component reaches, and an exponential of plain
arithmetic that the compiler turns into vector instructions (see ``selection/_compiled.py``).
"""

from __future__ import annotations

import numpy as np
from numba import prange

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection._compiled import compiled, inlined

__all__ = ["density_of_outputs"]

_ONE, _HALF, _ZERO = np.float32(1.0), np.float32(0.5), np.float32(0.0)
_FLOOR = np.float32(1e-12)
"""Added to every node, so that no redshift is ever impossible."""
_REACH = np.float32(7.0)
"""Scales from its centre where a component ends: 2e-11 of its peak."""
_LEAST = np.float32(-80.0)
_LOG2_E = np.float32(1.4426950408889634)
_LN_2_HIGH, _LN_2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_ROUNDER = np.float32(12582912.0)
"""1.5 · 2²³: adding it to a small number leaves the nearest integer in the low bits."""
_ROUNDER_BITS = np.int32(0x4B400000)
_BIAS, _MANTISSA = np.int32(127), np.int32(23)
_C2, _C3, _C4, _C5, _C6 = (np.float32(1 / n) for n in (2, 6, 24, 120, 720))


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
    p = p * r + _ONE
    p = p * r + _ONE
    exponent = np.float32(shifted).view(np.int32) - _ROUNDER_BITS + _BIAS
    return p * np.int32(exponent << _MANTISSA).view(np.float32)


@compiled()
def _add_component(
    height: np.float32,
    centre: np.float32,
    scale: np.float32,
    nodes: FloatArray,
    density: FloatArray,
) -> None:
    """Add one Gaussian in log(1+z) to ``density``, on ``nodes`` of log(1+z), ``(n_grid,)`` both."""
    first = np.searchsorted(nodes, centre - _REACH * scale)
    last = np.searchsorted(nodes, centre + _REACH * scale)
    reached, here = nodes[first:last], density[first:last]
    precision = _HALF / (scale * scale)
    for node in range(len(here)):
        offset = reached[node] - centre
        here[node] += height * _exp(-precision * offset * offset)


@compiled(parallel=True)
def density_of_outputs(
    log_weights: FloatArray,
    means: FloatArray,
    scales: FloatArray,
    nodes: FloatArray,
    per_node: FloatArray,
) -> FloatArray:
    """p(z) on nodes of log(1+z), ``(n_galaxies, n_grid)``; each row sums to one.

    The first three are ``(n_galaxies, n_components)`` float32; ``nodes`` and ``per_node``, which
    turns a density in log(1+z) into one in z, ``(n_grid,)`` float32.
    """
    n_galaxies, n_components = means.shape
    n_grid = len(nodes)
    answer = np.empty((n_galaxies, n_grid))
    for galaxy in prange(n_galaxies):
        density = np.zeros(n_grid, np.float32)
        for k in range(n_components):
            scale = scales[galaxy, k]
            height = _exp(min(log_weights[galaxy, k], _ZERO)) / scale
            _add_component(height, means[galaxy, k], scale, nodes, density)
        total = 0.0
        for node in range(n_grid):
            density[node] = density[node] * per_node[node] + _FLOOR
            total += density[node]
        row = answer[galaxy]
        for node in range(n_grid):
            row[node] = density[node] / total
    return answer
