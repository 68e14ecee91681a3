"""Compiled inner loops of mixture fits: one step of expectation maximisation over all galaxies."""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection._compiled import compiled, log, softmax
from hbmlc_models.selection._conditioning import LANES, PIVOT_FLOOR, condition

__all__ = ["noiseless_sums", "noisy_sums"]


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
    for k in range(len(log_weights)):
        offset = values[0] - mean[k]
        spread = variance[k] + noise[0]
        square = share[k] + offset * offset / spread
        share[k] = log_weights[k] - 0.5 * (square + log(determinant[k] * spread))
    return softmax(share[: len(log_weights)])


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
def _invert(covariance: FloatArray, noise: FloatArray, inverse: FloatArray) -> None:
    """Fill the lower triangle of the inverse of one noisy covariance, all ``(n, n)``."""
    n = len(noise)
    for row in range(n):
        for column in range(row + 1):
            entry = covariance[row, column]
            for inner in range(column):
                entry -= inverse[row, inner] * inverse[column, inner]
            if column < row:
                inverse[row, column] = entry * inverse[column, column]
            else:
                inverse[row, row] = 1 / np.sqrt(max(entry + noise[row], PIVOT_FLOOR))
    _square_inverse(inverse)


@compiled()
def _square_inverse(inverse: FloatArray) -> None:
    """Replace a Cholesky factor, whose diagonal is inverted already, by the whole's inverse."""
    n = len(inverse)
    for row in range(n):
        for column in range(row):
            entry = 0.0
            for inner in range(column, row):
                entry -= inverse[row, inner] * inverse[inner, column]
            inverse[row, column] = entry * inverse[row, row]
    # The inverse of the factor is there; the square of it takes its place, row by row.
    for row in range(n):
        for column in range(row + 1):
            entry = 0.0
            for inner in range(row, n):
                entry += inverse[inner, row] * inverse[inner, column]
            inverse[row, column] = entry


@compiled()
def _add_pull(
    inverse: FloatArray,
    residual: FloatArray,
    share: float,
    pull: FloatArray,
    curvature: FloatArray,
) -> None:
    """Add a share of u = T⁻¹ r to ``pull`` ``(n,)``, and of u uᵀ - T⁻¹ to ``curvature``."""
    n = len(residual)
    solved = np.empty(n)
    for row in range(n):
        entry = 0.0
        for column in range(row + 1):
            entry += inverse[row, column] * residual[column]
        for column in range(row + 1, n):
            entry += inverse[column, row] * residual[column]
        solved[row] = entry
    for row in range(n):
        pull[row] += share * solved[row]
        for column in range(row + 1):
            entry = solved[row] * solved[column] - inverse[row, column]
            curvature[row, column] += share * entry


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
    pulls = np.zeros((n_components, n))
    curvatures = np.zeros((n_components, n, n))
    moments = np.empty((4, len(packed) * LANES))
    inverse, residual = np.zeros((n, n)), np.empty(n)
    for galaxy in range(len(values)):
        _expect(bands, packed, log_weights, values[galaxy], noise[galaxy], moments)
        for k in range(n_components):
            share = moments[0, k]
            if share < cut:
                continue
            _invert(covariances[k], noise[galaxy], inverse)
            residual[:] = values[galaxy] - means[k]
            counts[k] += share
            _add_pull(inverse, residual, share, pulls[k], curvatures[k])
    _mirror(curvatures)
    return _through_covariances(counts, pulls, curvatures, covariances)


@compiled()
def _through_covariances(
    counts: FloatArray, pulls: FloatArray, curvatures: FloatArray, covariances: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums of offsets S u and of their squares, S (u uᵀ - T⁻¹) S + S, from those of u."""
    n_components, n = pulls.shape
    shifts = np.zeros((n_components, n))
    scatters = np.zeros((n_components, n, n))
    half = np.empty((n, n))
    for k in range(n_components):
        covariance = covariances[k]
        for row in range(n):
            for inner in range(n):
                shifts[k, row] += covariance[row, inner] * pulls[k, inner]
            for column in range(n):
                half[row, column] = 0.0
                for inner in range(n):
                    half[row, column] += covariance[row, inner] * curvatures[k, inner, column]
        for row in range(n):
            for column in range(row + 1):
                entry = counts[k] * covariance[row, column]
                for inner in range(n):
                    entry += half[row, inner] * covariance[inner, column]
                scatters[k, row, column] = entry
    _mirror(scatters)
    return counts, shifts, scatters
