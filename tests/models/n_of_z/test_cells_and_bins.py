"""Cells of redshift and tomographic bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from hbmlc_models.n_of_z.bins import N_BINS, bin_of, count_estimates, equal_count_edges
from hbmlc_models.n_of_z.cells import RedshiftCells

GRIDS = st.tuples(st.floats(0.5, 6.0), st.integers(11, 400))


@settings(deadline=None)
@given(grid=GRIDS, seed=st.integers(0, 1000))
def test_probabilities_of_cells_keep_area_and_mean(grid: tuple[float, int], seed: int) -> None:
    z_grid = np.linspace(0, *grid)
    rng = np.random.default_rng(seed)
    pdf = norm(rng.uniform(0, grid[0], (3, 1)), 0.2 * grid[0]).pdf(z_grid)
    cells = RedshiftCells.cover(z_grid)

    found = cells.probabilities(pdf)

    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    weight = pdf / pdf.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found @ cells.centres, weight @ z_grid, atol=0.5 * cells.width)


def test_index_is_that_of_the_cell_around() -> None:
    cells = RedshiftCells.cover(np.linspace(0, 3, 301))

    np.testing.assert_array_equal(cells.index(cells.centres), np.arange(60))
    assert cells.index(np.array([0.0, 3.0, 7.0])).tolist() == [0, 59, 59]


def test_tilting_there_and_back_changes_nothing() -> None:
    cells = RedshiftCells.cover(np.linspace(0, 3, 301))
    p = np.random.default_rng(1).dirichlet(np.ones(60), 4)

    np.testing.assert_allclose(cells.tilted(cells.tilted(p, 1.3), -1.3), p, rtol=1e-9)
    assert np.all(cells.tilted(p, 0.5) @ cells.centres > p @ cells.centres)


def test_smoothing_moves_galaxies_and_makes_none() -> None:
    np.testing.assert_allclose(RedshiftCells.cover(np.linspace(0, 3, 301)).kernel.sum(0), 1)


@settings(deadline=None)
@given(z_phot=st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_every_bin_has_galaxies_and_every_galaxy_a_bin(z_phot: list[float]) -> None:
    z_grid = np.linspace(0, 3, 31)
    nodes = z_grid[np.rint(np.array(z_phot) * 10).astype(int)]

    edges = equal_count_edges(count_estimates(nodes, z_grid), z_grid)
    found = bin_of(nodes, edges)

    assert 2 <= len(edges) <= N_BINS + 1
    assert (edges[0], edges[-1]) == (0.0, 3.0)
    assert np.all(np.diff(edges) > 0)
    assert set(found) == set(range(len(edges) - 1))
    assert np.all((edges[found] <= nodes) & (nodes <= edges[found + 1]))


def test_bins_have_equal_counts() -> None:
    z_grid = np.linspace(0, 3, 301)
    z_phot = np.random.default_rng(2).gamma(4, 0.2, 20_000).clip(0, 3)

    edges = equal_count_edges(count_estimates(z_phot, z_grid), z_grid)

    assert np.histogram(z_phot, edges)[0] / 20_000 == pytest.approx([0.2] * 5, abs=0.01)


def test_no_galaxies_have_one_empty_bin() -> None:
    assert equal_count_edges(np.zeros(31, dtype=int), np.linspace(0, 3, 31)).tolist() == [0, 3]
