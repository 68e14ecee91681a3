"""Gauss nodes against closed forms and whole densities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from hbmlc_models.selection.quadrature import N_NODES, gauss_nodes

Z_GRID = np.linspace(0, 3, 301)


def normalised(density: np.ndarray) -> np.ndarray:
    return density / density.sum(axis=1, keepdims=True)


def test_nodes_of_a_flat_density_are_those_of_legendre() -> None:
    fine = np.linspace(0, 3, 20_001)

    found = gauss_nodes(np.full((1, len(fine)), 1 / len(fine)), fine)

    x, weight = np.polynomial.legendre.leggauss(N_NODES)
    np.testing.assert_allclose(found.z[0], 1.5 * (1 + x), atol=1e-3)
    np.testing.assert_allclose(found.weight[0], weight / 2, atol=1e-3)


@settings(deadline=None, max_examples=30)  # the first call compiles
@given(st.lists(st.floats(0, 1), min_size=301, max_size=301))
def test_moments_below_twice_the_nodes_are_exact(heights: list[float]) -> None:
    density = normalised(np.array([heights]) + 1e-12)

    found = gauss_nodes(density, Z_GRID)

    for power in range(2 * N_NODES):
        wanted = density @ Z_GRID**power
        np.testing.assert_allclose((found.weight * found.z**power).sum(axis=1), wanted, rtol=1e-8)


@pytest.mark.parametrize("slope", [-2.0, -0.5, 1.0, 2.0])
def test_five_nodes_stand_for_a_density_with_two_peaks(slope: float) -> None:
    density = 0.8 * norm([[0.3], [0.7], [0.5]], [[0.05], [0.2], [0.4]]).pdf(Z_GRID)
    density = normalised(density + 0.2 * norm([[2.4], [1.5], [2.8]], 0.2).pdf(Z_GRID))

    found = gauss_nodes(density, Z_GRID)

    wanted = np.log(density @ np.exp(slope * Z_GRID))
    # Nine quantile nodes are off by 0.3 here.
    np.testing.assert_allclose(
        np.log((found.weight * np.exp(slope * found.z)).sum(axis=1)), wanted, atol=2e-5
    )


def test_certain_redshift_has_one_node() -> None:
    density = np.zeros((2, 301))
    density[0, 70] = 1.0
    density[1, [50, 200]] = 0.25, 0.75

    found = gauss_nodes(density, Z_GRID)

    assert np.isfinite(found.z).all()
    np.testing.assert_allclose(found.weight.sum(axis=1), 1.0)
    np.testing.assert_allclose((found.weight * found.z).sum(axis=1), [0.7, 0.25 * 0.5 + 0.75 * 2.0])
    np.testing.assert_allclose((found.weight[1] * found.z[1] ** 2).sum(), 0.25 * 0.25 + 0.75 * 4.0)
