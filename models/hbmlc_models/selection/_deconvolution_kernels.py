"""Compiled inner loop of the deconvolution: one step of expectation maximisation."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection._compiled import compiled, exp, log

__all__ = ["expected_sums"]

_PIVOT_FLOOR = 1e-12
"""Least square of a pivot of a Cholesky factor, against rounding."""


@compiled()
def _factorise(factor: FloatArray, covariance: FloatArray, noise: FloatArray) -> float:
    """Fill the Cholesky factor of one noisy covariance, ``(n, n)``; its log determinant."""
    n = len(noise)
    determinant = 1.0
    for row in range(n):
        for column in range(row + 1):
            entry = covariance[row, column]
            if row == column:
                entry += noise[row]
            for inner in range(column):
                entry -= factor[row, inner] * factor[column, inner]
            if row == column:
                factor[row, row] = np.sqrt(max(entry, _PIVOT_FLOOR))
                determinant *= factor[row, row]
            else:
                factor[row, column] = entry / factor[column, column]
    return log(determinant)


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

    ``factor`` is that of the noisy covariance and ``residual`` ``(n,)`` already solved by it.
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
        for column in range(n):
            entry = covariance[row, column] + offset[row] * offset[column]
            for k in range(n):
                entry -= half[row, k] * half[column, k]
            scatter[row, column] += share * entry


@compiled()
def expected_sums(
    values: FloatArray,
    noise: FloatArray,
    weights: FloatArray,
    means: FloatArray,
    covariances: FloatArray,
    cut: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums over galaxies of shares, expected offsets and their squares, for each component.

    ``values`` and their variances ``noise`` are ``(n_galaxies, n)``; the answers ``(n_components,
    …)``. Components with less than ``cut`` of a galaxy get nothing of it.
    """
    n_components, n = means.shape
    counts = np.zeros(n_components)
    shifts = np.zeros((n_components, n))
    scatters = np.zeros((n_components, n, n))
    factor, residual = np.zeros((n, n)), np.empty(n)
    density = np.empty(n_components)
    for galaxy in range(len(values)):
        highest = -np.inf
        for k in range(n_components):
            density[k] = log(weights[k]) - _factorise(factor, covariances[k], noise[galaxy])
            residual[:] = values[galaxy] - means[k]
            _solve_lower(factor, residual)
            for row in range(n):
                density[k] -= 0.5 * residual[row] ** 2
            highest = max(highest, density[k])
        total = 0.0
        for k in range(n_components):
            density[k] = exp(density[k] - highest)
            total += density[k]
        for k in range(n_components):
            share = density[k] / total
            if share < cut:
                continue
            _factorise(factor, covariances[k], noise[galaxy])
            residual[:] = values[galaxy] - means[k]
            _solve_lower(factor, residual)
            counts[k] += share
            _add_expectation(factor, residual, covariances[k], share, shifts[k], scatters[k])
    return counts, shifts, scatters
