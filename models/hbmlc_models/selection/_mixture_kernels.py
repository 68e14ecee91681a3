"""Compiled inner loops of the mixture: components side by side, galaxies in parallel.

All arrays of components have them as their last axis, so that one instruction works on several.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection._compiled import compiled, exp, log, total

__all__ = ["conditional_moments", "density_on_nodes", "photometric_density"]

_VARIANCE_FLOOR = 1e-6
"""Least variance of log(1+z) given photometry, against rounding."""
_PIVOT_FLOOR = 1e-12
"""Least square of a pivot of a Cholesky factor, against rounding."""
_NEGLIGIBLE = 30.0
"""Exponents beyond this add less than 1e-13 of a component's peak."""
_DENSITY_FLOOR = 1e-12
"""Added to every node, so that no redshift is ever impossible."""
_BLOCK = 64
"""Components worked on at once: their factors fit the fastest cache."""


@compiled()
def _judge(
    values: FloatArray,
    errors: FloatArray,
    means: FloatArray,
    covariances: FloatArray,
    moments: FloatArray,
) -> None:
    """Fill ``moments`` ``(3, n_components)``: log likelihood, mean and variance for one galaxy.

    ``values`` and ``errors`` are ``(n_bands,)``, ``means`` is ``(1 + n_bands, n_components)``. The
    Cholesky factor is written out: the matrices are tiny and differ from galaxy to galaxy.
    """
    n_bands = len(values)
    factor = np.empty((n_bands, n_bands, _BLOCK))
    solved = np.empty((n_bands, 2, _BLOCK))
    for start in range(0, means.shape[1], _BLOCK):
        block = slice(start, min(start + _BLOCK, means.shape[1]))
        likelihood, mean, variance = moments[0, block], moments[1, block], moments[2, block]
        mean[:] = means[0, block]
        variance[:] = covariances[0, 0, block]
        likelihood[:] = 0.0
        determinant = np.ones(len(mean))
        for row in range(n_bands):
            given = covariances[row + 1, :, block]
            _factorise(factor, given, row, errors[row] ** 2, determinant)
            solved[row, 0, : len(mean)] = values[row] - means[row + 1, block]
            solved[row, 1, : len(mean)] = given[0]
            _solve(factor, solved, row, len(mean))
            residual, cross = solved[row, 0], solved[row, 1]
            for k in range(len(mean)):
                likelihood[k] -= 0.5 * residual[k] ** 2
                mean[k] += residual[k] * cross[k]
                variance[k] -= cross[k] ** 2
        for k in range(len(mean)):
            likelihood[k] -= log(determinant[k])
            variance[k] = max(variance[k], _VARIANCE_FLOOR)


@compiled()
def _factorise(
    factor: FloatArray, given: FloatArray, row: int, noise: float, determinant: FloatArray
) -> None:
    """Fill one row of the Cholesky factors; the diagonal holds inverses.

    ``factor`` is ``(n_bands, n_bands, _BLOCK)``, ``given`` the row of the covariances, redshift
    first, ``(1 + n_bands, n)``; ``determinant`` ``(n,)``, of the factor, grows by the pivots.
    """
    for column in range(row + 1):
        entry, wanted = factor[row, column], given[column + 1]
        for k in range(len(determinant)):
            entry[k] = wanted[k]
        for inner in range(column):
            one, two = factor[row, inner], factor[column, inner]
            for k in range(len(determinant)):
                entry[k] -= one[k] * two[k]
        if column < row:
            pivot = factor[column, column]
            for k in range(len(determinant)):
                entry[k] *= pivot[k]
        else:
            for k in range(len(determinant)):
                root = np.sqrt(max(entry[k] + noise, _PIVOT_FLOOR))
                determinant[k] *= root
                entry[k] = 1 / root


@compiled()
def _solve(factor: FloatArray, solved: FloatArray, row: int, n: int) -> None:
    """Solve for one row of both right-hand sides ``solved`` ``(n_bands, 2, _BLOCK)``."""
    pivot = factor[row, row]
    for side in range(2):
        right = solved[row, side]
        for inner in range(row):
            entry, before = factor[row, inner], solved[inner, side]
            for k in range(n):
                right[k] -= entry[k] * before[k]
        for k in range(n):
            right[k] *= pivot[k]


@compiled()
def _add_up(
    share: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    log1p_z: FloatArray,
    cut: float,
    density: FloatArray,
) -> None:
    """Fill ``density`` ``(n_grid,)`` with p(z) of one galaxy; inputs are ``(n_components,)``."""
    n_grid = len(log1p_z)
    for node in range(n_grid):
        density[node] = 0.0
    for component in range(len(share)):
        if share[component] < cut:
            continue
        centre = mean[component]
        precision = 0.5 / variance[component]
        height = share[component] * np.sqrt(precision)
        reach = np.sqrt(_NEGLIGIBLE / precision)
        first = np.searchsorted(log1p_z, centre - reach)
        last = np.searchsorted(log1p_z, centre + reach)
        here, reached = density[first:last], log1p_z[first:last]
        for node in range(len(here)):
            offset = reached[node] - centre
            here[node] += height * exp(-precision * offset * offset)
    for node in range(n_grid):
        # dz = (1+z) dlog(1+z): a density in z from one in log(1+z).
        density[node] = density[node] * exp(-log1p_z[node]) + _DENSITY_FLOOR
    scale = 1 / total(density)
    for node in range(n_grid):
        density[node] *= scale


@compiled()
def _shares(log_likelihood: FloatArray, log_weights: FloatArray, share: FloatArray) -> None:
    """Fill ``share`` with the components' shares of one galaxy; all ``(n_components,)``."""
    highest = -np.inf
    for k in range(len(share)):
        share[k] = log_likelihood[k] + log_weights[k]
        highest = max(highest, share[k])
    for k in range(len(share)):
        share[k] = exp(share[k] - highest)
    scale = 1 / total(share)
    for k in range(len(share)):
        share[k] *= scale


@compiled(parallel=True)
def conditional_moments(
    values: FloatArray, errors: FloatArray, means: FloatArray, covariances: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log likelihood of each galaxy's luptitudes, and moments of log(1+z) given them.

    ``values`` and ``errors`` are ``(n_galaxies, n_bands)``, ``means`` is ``(1 + n_bands,
    n_components)``; the three results are ``(n_galaxies, n_components)``.
    """
    n_galaxies = len(values)
    answer = np.empty((3, n_galaxies, means.shape[1]))
    for galaxy in prange(n_galaxies):
        moments = np.empty((3, means.shape[1]))
        _judge(values[galaxy], errors[galaxy], means, covariances, moments)
        answer[:, galaxy] = moments
    return answer[0], answer[1], answer[2]


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
    answer = np.empty((n_galaxies, len(log1p_z)))
    for galaxy in prange(n_galaxies):
        share = np.empty(len(log_weights))
        _shares(log_likelihood[galaxy], log_weights, share)
        _add_up(share, mean[galaxy], variance[galaxy], log1p_z, cut, answer[galaxy])
    return answer


@compiled(parallel=True)
def photometric_density(
    values: FloatArray,
    errors: FloatArray,
    means: FloatArray,
    covariances: FloatArray,
    log_weights: FloatArray,
    log1p_z: FloatArray,
    cut: float,
) -> FloatArray:
    """``density_on_nodes`` of ``conditional_moments``, which are never kept."""
    n_galaxies = len(values)
    answer = np.empty((n_galaxies, len(log1p_z)))
    for galaxy in prange(n_galaxies):
        moments = np.empty((3, len(log_weights)))
        share = np.empty(len(log_weights))
        _judge(values[galaxy], errors[galaxy], means, covariances, moments)
        _shares(moments[0], log_weights, share)
        _add_up(share, moments[1], moments[2], log1p_z, cut, answer[galaxy])
    return answer
