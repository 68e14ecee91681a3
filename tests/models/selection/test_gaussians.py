"""Densities in single precision, against scipy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection._gaussians import add_gaussian, finish_density, in_blocks

REACH = 7.0


def summed(centres: FloatArray, scales: FloatArray, log1p_z: FloatArray) -> FloatArray:
    """p(z) on the nodes from equally likely components."""
    nodes, starts = in_blocks(log1p_z)
    density = np.zeros(len(nodes), dtype=np.float32)
    for centre, scale in zip(centres, scales, strict=True):
        add_gaussian(1 / scale, centre, scale, REACH, nodes, starts, density)
    row = np.empty(len(log1p_z))
    finish_density(density, nodes, row)
    return row


@settings(deadline=None)  # the first call compiles
@given(seed=st.integers(0, 10_000), n_grid=st.integers(11, 700), z_max=st.floats(0.5, 12))
def test_sum_is_that_of_the_library_on_every_grid(seed: int, n_grid: int, z_max: float) -> None:
    rng = np.random.default_rng(seed)
    z_grid = np.linspace(0, z_max, n_grid)
    log1p_z = np.log1p(z_grid)
    centres, scales = rng.uniform(-0.2, 1.2 * log1p_z[-1], 5), rng.uniform(0.02, 0.5, 5)

    found = summed(centres, scales, log1p_z)

    wanted = norm(centres[:, None], scales[:, None]).pdf(log1p_z).sum(axis=0) / (1 + z_grid)
    # What no component reaches has a floor instead.
    seen = wanted > 1e-6 * wanted.max()
    if wanted.max() > 1e-3:
        np.testing.assert_allclose(found[seen], (wanted / wanted.sum())[seen], rtol=3e-4)
    np.testing.assert_allclose(found.sum(), 1)
    assert (found > 0).all()


def test_nodes_beyond_the_reach_have_next_to_nothing() -> None:
    z_grid = np.linspace(0, 3, 301)

    found = summed(np.array([0.3]), np.array([0.01]), np.log1p(z_grid))

    far = np.abs(np.log1p(z_grid) - 0.3) > 2 * REACH * 0.01
    assert found[far].max() < 1e-12
