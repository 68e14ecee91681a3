"""A posterior's mode and curvature: the coordinates in which it is nearly a standard normal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["LaplaceFit", "fit_laplace"]

N_STEPS = 20
"""Newton steps at most; five are usual."""
N_HALVINGS = 8
"""Times that a step which does not climb is halved."""
ENOUGH = 1e-6
"""A gain of log density below which the mode is reached."""
DIFFERENCE = 1e-4
"""Step of the finite differences of the gradient."""
LEAST_PRECISION = 0.3
"""Least curvature; that of the prior is one, and only far from the mode may it be less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaplaceFit:
    """Normal approximation of a density."""

    mode: FloatArray
    """Its highest point, ``(n,)``."""
    factor: FloatArray
    """Square root of its covariance, ``(n, n)``: mode + factor u with u a standard normal."""


def fit_laplace(
    log_density: Callable[[FloatArray], tuple[float, FloatArray]], n: int
) -> LaplaceFit:
    """Mode and curvature of a log density in ``n`` dimensions by damped Newton steps from zero.

    ``log_density`` returns value and gradient ``(n,)``. Where it is not finite the identity is
    returned: any coordinates are valid, good ones only save time.
    """
    here = np.zeros(n)
    value, gradient = log_density(here)
    for _ in range(N_STEPS):
        direction = np.linalg.inv(_precision(log_density, here)) @ gradient
        found = _climb(log_density, here, value, direction)
        if found is None:
            break
        gain = found[1] - value
        here, value, gradient = found
        if gain < ENOUGH:
            break
    values, vectors = np.linalg.eigh(_precision(log_density, here))
    return LaplaceFit(mode=here, factor=vectors / np.sqrt(values))


def _climb(
    log_density: Callable[[FloatArray], tuple[float, FloatArray]],
    here: FloatArray,
    value: float,
    direction: FloatArray,
) -> tuple[FloatArray, float, FloatArray] | None:
    """Point with value and gradient along ``direction`` that is higher, if there is one."""
    for halving in range(N_HALVINGS):
        there = here + direction / 2**halving
        height, gradient = log_density(there)
        if height > value and np.isfinite(gradient).all():
            return there, height, gradient
    return None


def _precision(
    log_density: Callable[[FloatArray], tuple[float, FloatArray]], here: FloatArray
) -> FloatArray:
    """Negative second derivatives at ``here``, with eigenvalues of at least the least allowed."""
    steps = DIFFERENCE * np.eye(len(here))
    slopes = [log_density(here + step)[1] - log_density(here - step)[1] for step in steps]
    hessian = -np.array(slopes) / (2 * DIFFERENCE)
    if not np.isfinite(hessian).all():
        return np.eye(len(here))
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    return (vectors * np.maximum(values, LEAST_PRECISION)) @ vectors.T
