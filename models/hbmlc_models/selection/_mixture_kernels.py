"""Compiled inner loops of the mixture: components side by side, galaxies in parallel.

What of a component is only arithmetic is in ``_conditioning``; arrays of components have them as
their last axis, padded to whole blocks.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.selection._compiled import compiled, log, softmax
from hbmlc_models.selection._conditioning import LANES, condition
from hbmlc_models.selection._gaussians import add_gaussian, finish_density, in_blocks

__all__ = ["conditional_moments", "density_on_nodes", "log_densities", "photometric_density"]

_VARIANCE_FLOOR = 1e-6
"""Least variance of log(1+z) given photometry, against rounding."""
_NEGLIGIBLE = 1e-10
"""Less of a galaxy's probability than this is not added to its density."""


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
def _add_up(
    share: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    nodes: FloatArray,
    starts: IntArray,
    cut: float,
    row: FloatArray,
) -> None:
    """Fill ``row`` ``(n_grid,)`` with p(z) of one galaxy; shares and moments ``(n_components,)``.

    ``nodes`` and ``starts`` are those of ``in_blocks``.
    """
    density = np.zeros(len(nodes), np.float32)
    for component in range(len(share)):
        if share[component] >= cut:
            scale = np.sqrt(variance[component])
            reach = np.sqrt(2 * log(share[component] / _NEGLIGIBLE))
            height = share[component] / scale
            add_gaussian(height, mean[component], scale, reach, nodes, starts, density)
    finish_density(density, nodes, row)


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
    nodes, starts = in_blocks(log1p_z)
    answer = np.empty((n_galaxies, len(log1p_z)))
    for galaxy in prange(n_galaxies):
        share = np.empty(len(log_weights))
        _shares(log_likelihood[galaxy], log_weights, share)
        _add_up(share, mean[galaxy], variance[galaxy], nodes, starts, cut, answer[galaxy])
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
    nodes, starts = in_blocks(log1p_z)
    answer = np.empty((n_galaxies, len(log1p_z)))
    for galaxy in prange(n_galaxies):
        moments = np.empty((4, len(packed) * LANES))
        share = np.empty(n_components)
        _judge(bands, packed, values[galaxy], errors[galaxy] ** 2, moments)
        _shares(moments[0, :n_components], log_weights, share)
        mean, variance = moments[2], moments[3]
        _add_up(share, mean, variance, nodes, starts, cut, answer[galaxy])
    return answer
