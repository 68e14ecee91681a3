"""Compiled inner loops of mixture fits: one step of expectation maximisation over all galaxies."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection._compiled import compiled, exp, log, total
from hbmlc_models.selection._conditioning import LANES, condition

__all__ = ["noiseless_sums", "noisy_sums"]

_PIVOT_FLOOR = 1e-12
"""Least square of a pivot of a Cholesky factor, against rounding."""


@compiled()
def _expect(
    bands: tuple[int, ...],
    packed: FloatArray,
    log_weights: FloatArray,
    values: FloatArray,
    noise: FloatArray,
    moments: FloatArray,
) -> float:
    """Fill ``moments[0]`` with the components' shares of one galaxy; its log density.

    ``values`` and their variances ``noise`` are ``(1 + n_bands,)``, redshift first; ``log_weights``
    is ``(n_components,)``, ``moments`` ``(4, n_lanes)`` and the rest as in ``condition``.
    """
    for block in range(len(packed)):
        condition(bands, packed, block, values[1:], noise[1:], moments)
    share, determinant, mean, variance = moments[0], moments[1], moments[2], moments[3]
    highest = -np.inf
    for k in range(len(log_weights)):
        offset = values[0] - mean[k]
        spread = variance[k] + noise[0]
        square = share[k] + offset * offset / spread
        share[k] = log_weights[k] - 0.5 * (square + log(determinant[k] * spread))
        highest = max(highest, share[k])
    share = share[: len(log_weights)]
    for k in range(len(share)):
        share[k] = exp(share[k] - highest)
    norm = total(share)
    for k in range(len(share)):
        share[k] /= norm
    return highest + np.log(norm)


@compiled()
def noiseless_sums(
    bands: tuple[int, ...],
    packed: FloatArray,
    log_weights: FloatArray,
    values: FloatArray,
    means: FloatArray,
    cut: float,
) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Sums over galaxies of shares, offsets and their squares, and the mean log density.

    ``values`` are ``(n_galaxies, 1 + n_bands)``, redshift first; the sums are ``(n_components,
    …)``. Components with less than ``cut`` of a galaxy get nothing of it.
    """
    n_components, n = means.shape
    counts = np.zeros(n_components)
    shifts = np.zeros((n_components, n))
    scatters = np.zeros((n_components, n, n))
    moments, offset, noise = np.empty((4, len(packed) * LANES)), np.empty(n), np.zeros(n)
    density = 0.0
    for galaxy in range(len(values)):
        density += _expect(bands, packed, log_weights, values[galaxy], noise, moments)
        for k in range(n_components):
            share = moments[0, k]
            if share < cut:
                continue
            counts[k] += share
            shift, scatter = shifts[k], scatters[k]
            for row in range(n):
                offset[row] = values[galaxy, row] - means[k, row]
                weighted = share * offset[row]
                shift[row] += weighted
                for column in range(row + 1):
                    scatter[row, column] += weighted * offset[column]
    _mirror(scatters)
    return counts, shifts, scatters, density / len(values)


@compiled()
def _mirror(scatters: FloatArray) -> None:
    """Copy lower triangles ``(n_components, n, n)`` to the upper ones."""
    for k in range(len(scatters)):
        for row in range(scatters.shape[1]):
            for column in range(row):
                scatters[k, column, row] = scatters[k, row, column]


@compiled()
def _factorise(factor: FloatArray, covariance: FloatArray, noise: FloatArray) -> None:
    """Fill the Cholesky factor of one noisy covariance, ``(n, n)``."""
    n = len(noise)
    for row in range(n):
        for column in range(row + 1):
            entry = covariance[row, column]
            if row == column:
                entry += noise[row]
            for inner in range(column):
                entry -= factor[row, inner] * factor[column, inner]
            if row == column:
                factor[row, row] = np.sqrt(max(entry, _PIVOT_FLOOR))
            else:
                factor[row, column] = entry / factor[column, column]


@compiled()
def _solve_lower(factor: FloatArray, right: FloatArray) -> None:
    """Solve L x = right in place, ``(n,)``."""
    for row in range(len(right)):
        entry = right[row]
        for inner in range(row):
            entry -= factor[row, inner] * right[inner]
        right[row] = entry / factor[row, row]


@compiled()
def _add_expectation(
    factor: FloatArray,
    residual: FloatArray,
    covariance: FloatArray,
    share: float,
    shift: FloatArray,
    scatter: FloatArray,
) -> None:
    """Add one galaxy's expected offset from a component's mean, and its square, times its share.

    ``factor`` is that of the noisy covariance and ``residual`` ``(n,)`` already solved by it. Of
    the square only the lower triangle is filled.
    """
    n = len(residual)
    half = np.empty((n, n))
    offset = np.empty(n)
    for row in range(n):
        half[row] = covariance[row]
        _solve_lower(factor, half[row])
        offset[row] = 0.0
        for k in range(n):
            offset[row] += half[row, k] * residual[k]
    for row in range(n):
        shift[row] += share * offset[row]
        for column in range(row + 1):
            entry = covariance[row, column] + offset[row] * offset[column]
            for k in range(n):
                entry -= half[row, k] * half[column, k]
            scatter[row, column] += share * entry


@compiled()
def noisy_sums(
    bands: tuple[int, ...],
    packed: FloatArray,
    log_weights: FloatArray,
    values: FloatArray,
    noise: FloatArray,
    means: FloatArray,
    covariances: FloatArray,
    cut: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums over galaxies of shares, expected offsets and their squares, for each component.

    ``values`` and their variances ``noise`` are ``(n_galaxies, 1 + n_bands)``, redshift first; the
    answers ``(n_components, …)``. Components with less than ``cut`` of a galaxy get nothing of it.
    """
    n_components, n = means.shape
    counts = np.zeros(n_components)
    shifts = np.zeros((n_components, n))
    scatters = np.zeros((n_components, n, n))
    moments = np.empty((4, len(packed) * LANES))
    factor, residual = np.zeros((n, n)), np.empty(n)
    for galaxy in range(len(values)):
        _expect(bands, packed, log_weights, values[galaxy], noise[galaxy], moments)
        for k in range(n_components):
            share = moments[0, k]
            if share < cut:
                continue
            _factorise(factor, covariances[k], noise[galaxy])
            residual[:] = values[galaxy] - means[k]
            _solve_lower(factor, residual)
            counts[k] += share
            _add_expectation(factor, residual, covariances[k], share, shifts[k], scatters[k])
    _mirror(scatters)
    return counts, shifts, scatters
