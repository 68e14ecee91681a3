"""Compiled inner loops of the mixture: one galaxy against all components, galaxies in parallel."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba
import numpy as np
from numba import prange

from hbmlc_models.arrays import FloatArray

__all__ = ["conditional_moments", "density_on_nodes"]

_VARIANCE_FLOOR = 1e-6
"""Least variance of log(1+z) given photometry, against rounding."""
_NEGLIGIBLE = 30.0
"""Exponents beyond this add less than 1e-13 of a component's peak."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function to machine code, kept on disk; ``prange`` runs in parallel."""
    njit: Any = numba.njit
    return njit(cache=True, parallel=True, error_model="numpy")(function)


@_compiled
def conditional_moments(
    values: FloatArray, errors: FloatArray, means: FloatArray, covariances: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log likelihood of each galaxy's luptitudes, and moments of log(1+z) given them.

    ``values`` and ``errors`` are ``(n_galaxies, n_bands)``, ``means`` is ``(n_components, 1 +
    n_bands)``; the three results are ``(n_galaxies, n_components)``. Cholesky by hand: the
    matrices are tiny and differ from galaxy to galaxy.
    """
    n_galaxies, n_bands = values.shape
    n_components = means.shape[0]
    log_likelihood = np.empty((n_galaxies, n_components))
    mean = np.empty((n_galaxies, n_components))
    variance = np.empty((n_galaxies, n_components))
    for galaxy in prange(n_galaxies):
        factor = np.empty((n_bands, n_bands))
        residual = np.empty(n_bands)
        cross = np.empty(n_bands)
        for component in range(n_components):
            log_determinant = 0.0
            square = 0.0
            shift = 0.0
            explained = 0.0
            for row in range(n_bands):
                for column in range(row + 1):
                    total = covariances[component, row + 1, column + 1]
                    if row == column:
                        total += errors[galaxy, row] ** 2
                    for inner in range(column):
                        total -= factor[row, inner] * factor[column, inner]
                    if row == column:
                        factor[row, row] = math.sqrt(max(total, 1e-12))
                    else:
                        factor[row, column] = total / factor[column, column]
                left = values[galaxy, row] - means[component, row + 1]
                right = covariances[component, row + 1, 0]
                for inner in range(row):
                    left -= factor[row, inner] * residual[inner]
                    right -= factor[row, inner] * cross[inner]
                residual[row] = left / factor[row, row]
                cross[row] = right / factor[row, row]
                log_determinant += 2 * math.log(factor[row, row])
                square += residual[row] ** 2
                shift += residual[row] * cross[row]
                explained += cross[row] ** 2
            log_likelihood[galaxy, component] = -0.5 * (square + log_determinant)
            mean[galaxy, component] = means[component, 0] + shift
            variance[galaxy, component] = max(
                covariances[component, 0, 0] - explained, _VARIANCE_FLOOR
            )
    return log_likelihood, mean, variance


@_compiled
def density_on_nodes(
    share: FloatArray, mean: FloatArray, variance: FloatArray, log1p_z: FloatArray, cut: float
) -> FloatArray:
    """p(z) of each galaxy on nodes ``log1p_z`` ``(n_grid,)``; each row sums to one.

    ``share``, ``mean`` and ``variance`` are ``(n_galaxies, n_components)``.
    """
    n_galaxies, n_components = share.shape
    n_grid = len(log1p_z)
    density = np.zeros((n_galaxies, n_grid))
    for galaxy in prange(n_galaxies):
        for component in range(n_components):
            if share[galaxy, component] < cut:
                continue
            inverse = 1 / variance[galaxy, component]
            height = share[galaxy, component] * math.sqrt(inverse)
            for node in range(n_grid):
                offset = log1p_z[node] - mean[galaxy, component]
                exponent = 0.5 * offset * offset * inverse
                if exponent < _NEGLIGIBLE:
                    density[galaxy, node] += height * math.exp(-exponent)
        total = 0.0
        for node in range(n_grid):
            # dz = (1+z) dlog(1+z): a density in z from one in log(1+z).
            density[galaxy, node] = density[galaxy, node] * math.exp(-log1p_z[node]) + 1e-12
            total += density[galaxy, node]
        for node in range(n_grid):
            density[galaxy, node] /= total
    return density
