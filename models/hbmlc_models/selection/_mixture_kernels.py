"""Compiled inner loops of the mixture: components side by side, galaxies in parallel.

What of a component is only arithmetic is in ``_conditioning``; arrays of components have them as
their last axis, padded to whole blocks.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.selection._compiled import compiled, exp, log, quick_exp, softmax, total
from hbmlc_models.selection._conditioning import LANES, condition

__all__ = ["conditional_moments", "density_on_nodes", "log_densities", "photometric_density"]

_VARIANCE_FLOOR = 1e-6
"""Least variance of log(1+z) given photometry, against rounding."""
_NEGLIGIBLE = 1e-13
"""Less of a galaxy's probability than this is not added to its density."""
_DENSITY_FLOOR = 1e-12
"""Added to every node, so that no redshift is ever impossible."""
_N_STRETCHES = 512
"""Stretches of equal length into which nodes are sorted, to find those that a component reaches."""


@compiled()
def _judge(
    bands: tuple[int, ...],
    packed: FloatArray,
    values: FloatArray,
    variances: FloatArray,
    moments: FloatArray,
) -> None:
    """Fill ``moments`` ``(4, n_lanes)``: log likelihood, nothing, mean and variance of log(1+z).

    For one galaxy; the other arguments are those of ``condition``.
    """
    for block in range(len(packed)):
        condition(bands, packed, block, values, variances, moments)
    likelihood, determinant, variance = moments[0], moments[1], moments[3]
    for k in range(len(likelihood)):
        likelihood[k] = -0.5 * (likelihood[k] + log(determinant[k]))
        variance[k] = max(variance[k], _VARIANCE_FLOOR)


@compiled()
def _stretches(nodes: FloatArray) -> IntArray:
    """Number of nodes before the start of each stretch, ``(_N_STRETCHES + 1,)``."""
    answer = np.empty(_N_STRETCHES + 1, np.int64)
    step = (nodes[-1] - nodes[0]) / _N_STRETCHES
    for stretch in range(_N_STRETCHES):
        answer[stretch] = np.searchsorted(nodes, nodes[0] + stretch * step)
    answer[_N_STRETCHES] = len(nodes)
    return answer


@compiled()
def _add_up(
    share: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    log1p_z: FloatArray,
    stretches: IntArray,
    cut: float,
    density: FloatArray,
) -> None:
    """Fill ``density`` ``(n_grid,)`` with p(z) of one galaxy; shares and moments ``(n,)``."""
    n_grid = len(log1p_z)
    for node in range(n_grid):
        density[node] = 0.0
    per_stretch = _N_STRETCHES / (log1p_z[-1] - log1p_z[0])
    for component in range(len(share)):
        if share[component] < cut:
            continue
        centre = mean[component]
        precision = 0.5 / variance[component]
        height = share[component] * np.sqrt(precision)
        reach = np.sqrt(log(share[component] / _NEGLIGIBLE) / precision)
        start = (centre - reach - log1p_z[0]) * per_stretch
        end = (centre + reach - log1p_z[0]) * per_stretch + 1
        first = stretches[int(min(max(start, 0.0), _N_STRETCHES))]
        last = stretches[int(min(max(end, 0.0), _N_STRETCHES))]
        here, reached = density[first:last], log1p_z[first:last]
        for node in range(len(here)):
            offset = reached[node] - centre
            here[node] += height * quick_exp(-precision * offset * offset)
    for node in range(n_grid):
        # dz = (1+z) dlog(1+z): a density in z from one in log(1+z).
        density[node] = density[node] * exp(-log1p_z[node]) + _DENSITY_FLOOR
    scale = 1 / total(density)
    for node in range(n_grid):
        density[node] *= scale


@compiled()
def _shares(log_likelihood: FloatArray, log_weights: FloatArray, share: FloatArray) -> None:
    """Fill ``share`` with the components' shares of one galaxy; all ``(n_components,)``."""
    for k in range(len(share)):
        share[k] = log_likelihood[k] + log_weights[k]
    softmax(share)


@compiled(parallel=True)
def conditional_moments(
    bands: tuple[int, ...],
    packed: FloatArray,
    values: FloatArray,
    errors: FloatArray,
    n_components: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log likelihood of each galaxy's luptitudes, and moments of log(1+z) given them.

    ``values`` and ``errors`` are ``(n_galaxies, n_bands)``, ``bands`` and ``packed`` as in
    ``condition``; the three results are ``(n_galaxies, n_components)``.
    """
    n_galaxies = len(values)
    answer = np.empty((3, n_galaxies, n_components))
    for galaxy in prange(n_galaxies):
        moments = np.empty((4, len(packed) * LANES))
        _judge(bands, packed, values[galaxy], errors[galaxy] ** 2, moments)
        answer[0, galaxy] = moments[0, :n_components]
        answer[1, galaxy] = moments[2, :n_components]
        answer[2, galaxy] = moments[3, :n_components]
    return answer[0], answer[1], answer[2]


@compiled(parallel=True)
def log_densities(
    bands: tuple[int, ...],
    packed: FloatArray,
    values: FloatArray,
    errors: FloatArray,
    log_weights: FloatArray,
    log1p_z: FloatArray,
) -> FloatArray:
    """Log density of each galaxy's luptitudes, or of these and its redshift, ``(n_galaxies,)``.

    The latter if ``log1p_z`` is ``(n_galaxies,)`` and not empty; the others are those of
    ``photometric_density``. Powers of 2π are left out.
    """
    n_galaxies, n_components = len(values), len(log_weights)
    answer = np.empty(n_galaxies)
    for galaxy in prange(n_galaxies):
        moments = np.empty((4, len(packed) * LANES))
        _judge(bands, packed, values[galaxy], errors[galaxy] ** 2, moments)
        joint, mean, variance = moments[0, :n_components], moments[2], moments[3]
        if len(log1p_z) > 0:
            for k in range(n_components):
                offset = log1p_z[galaxy] - mean[k]
                joint[k] -= 0.5 * (offset * offset / variance[k] + log(variance[k]))
        for k in range(n_components):
            joint[k] += log_weights[k]
        answer[galaxy] = softmax(joint)
    return answer


@compiled(parallel=True)
def density_on_nodes(
    log_likelihood: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    log_weights: FloatArray,
    log1p_z: FloatArray,
    cut: float,
) -> FloatArray:
    """p(z) of each galaxy on nodes ``log1p_z`` ``(n_grid,)``; each row sums to one.

    The first three are ``(n_galaxies, n_components)``, ``log_weights`` is ``(n_components,)``;
    components below the share ``cut`` are left out.
    """
    n_galaxies = len(log_likelihood)
    stretches = _stretches(log1p_z)
    answer = np.empty((n_galaxies, len(log1p_z)))
    for galaxy in prange(n_galaxies):
        share = np.empty(len(log_weights))
        _shares(log_likelihood[galaxy], log_weights, share)
        _add_up(share, mean[galaxy], variance[galaxy], log1p_z, stretches, cut, answer[galaxy])
    return answer


@compiled(parallel=True)
def photometric_density(
    bands: tuple[int, ...],
    packed: FloatArray,
    values: FloatArray,
    errors: FloatArray,
    log_weights: FloatArray,
    log1p_z: FloatArray,
    cut: float,
) -> FloatArray:
    """``density_on_nodes`` of ``conditional_moments``, which are never kept."""
    n_galaxies = len(values)
    n_components = len(log_weights)
    stretches = _stretches(log1p_z)
    answer = np.empty((n_galaxies, len(log1p_z)))
    for galaxy in prange(n_galaxies):
        moments = np.empty((4, len(packed) * LANES))
        share = np.empty(n_components)
        _judge(bands, packed, values[galaxy], errors[galaxy] ** 2, moments)
        _shares(moments[0, :n_components], log_weights, share)
        mean, variance = moments[2], moments[3]
        _add_up(share, mean, variance, log1p_z, stretches, cut, answer[galaxy])
    return answer
