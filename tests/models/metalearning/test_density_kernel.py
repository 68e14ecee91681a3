"""The compiled density against scipy, component by component and as a whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from hbmlc_models.metalearning.infer import outputs_density
from hbmlc_models.metalearning.network import MINIMUM_SCALE, Head

Z_GRID = np.linspace(0, 3, 301)


def exact(outputs: np.ndarray) -> np.ndarray:
    """The same in double precision, by scipy."""
    logits, means, log_scales = np.split(outputs.astype(float), 3, axis=1)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    scales = MINIMUM_SCALE + np.exp(np.clip(log_scales, -7, 1))
    nodes = np.log1p(Z_GRID)
    parts = norm.pdf(nodes, means[:, :, None], scales[:, :, None])
    density = np.sqrt(2 * np.pi) * (shares[:, :, None] * parts).sum(axis=1) / (1 + Z_GRID) + 1e-12
    return density / density.sum(axis=1, keepdims=True)


@given(seed=st.integers(0, 2**32 - 1), n_components=st.integers(1, 9), width=st.floats(-6, 0.5))
@settings(max_examples=40, deadline=None)
def test_density_is_scipys(seed: int, n_components: int, width: float) -> None:
    rng = np.random.default_rng(seed)
    outputs = rng.normal(0, 1.5, (5, 3 * n_components)).astype(np.float32)
    outputs[:, n_components : 2 * n_components] = rng.uniform(0.05, 1.3, (5, n_components))
    outputs[:, 2 * n_components :] += np.float32(width)

    density = outputs_density(outputs, Z_GRID, head=Head.MIXTURE)

    # Single precision near the mean of a component: offset over scale errs by 1e-5 at most.
    wanted = exact(outputs)
    np.testing.assert_allclose(density, wanted, rtol=5e-4, atol=1e-7)
    np.testing.assert_allclose(density.sum(axis=1), 1.0, rtol=1e-6)


def test_component_beyond_the_grid_leaves_a_density_all_the_same() -> None:
    outputs = np.array([[0.0, 9.0, -9.0]], np.float32)

    density = outputs_density(outputs, Z_GRID, head=Head.MIXTURE)

    np.testing.assert_allclose(density, 1 / len(Z_GRID), rtol=1e-5)


@pytest.mark.parametrize("n_galaxies", [0, 1, 3000])
def test_any_number_of_galaxies_has_a_density_each(n_galaxies: int) -> None:
    outputs = np.zeros((n_galaxies, 24), np.float32)

    assert outputs_density(outputs, Z_GRID, head=Head.MIXTURE).shape == (n_galaxies, 301)
    assert outputs_density(outputs[:, :1], Z_GRID, head=Head.MSE).shape == (n_galaxies, 301)
