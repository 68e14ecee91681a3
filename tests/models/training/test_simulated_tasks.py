"""Tasks made of simulated tiles: anchors are labelled, query galaxies are anyone."""

from __future__ import annotations

import numpy as np
import pytest

from hbmlc_models.odds import MAX_RELATIVE_ODDS
from hbmlc_models.training.simulated_tasks import SimulatedTasks, TileInputs

N, N_LABELLED, RARE = 60, 15, 3


@pytest.fixture
def source() -> SimulatedTasks:
    # Tile and galaxy are written into the redshift, so that a task shows where it is from.
    tiles = [
        TileInputs(
            inputs=np.ones((N, 9, 6), np.float32),
            z_true=100.0 * tile + np.arange(N),
            labelled=np.arange(N_LABELLED),
            propensity=np.where(np.arange(N) < RARE, 0.02, 0.5),
        )
        for tile in range(3)
    ]
    return SimulatedTasks(tiles)


def test_support_is_labelled_and_of_the_tile_of_its_query(source: SimulatedTasks) -> None:
    support, query = source.tasks(40, 50, 20, np.random.default_rng(1))

    for anchors, others in zip(support, query, strict=True):
        assert len(others.z_spec) == 20
        assert len(set(others.z_spec // 100)) == 1
        assert set(anchors.z_spec // 100) <= set(others.z_spec // 100)
        assert np.all(anchors.z_spec % 100 < N_LABELLED)
        assert len(set(anchors.z_spec)) == len(anchors.z_spec) <= N_LABELLED
    assert any(len(anchors.z_spec) == 0 for anchors in support)


def test_support_is_stratified_and_weighted_as_at_deployment(source: SimulatedTasks) -> None:
    support, _ = source.tasks(200, 5, 20, np.random.default_rng(4))

    full = [anchors for anchors in support if len(anchors.z_spec) == 5]
    assert full
    for anchors in full:
        # Five strata of three: the rarest fifth gives one anchor, whose odds are truncated.
        rare = anchors.z_spec % 100 < RARE
        assert rare.sum() == 1
        assert anchors.weight.mean() == pytest.approx(1.0)
        ratio = float(anchors.weight[rare][0] / anchors.weight[~rare][0])
        assert ratio == pytest.approx(MAX_RELATIVE_ODDS)


def test_pooled_galaxies_come_from_all_tiles(source: SimulatedTasks) -> None:
    task = source.pooled(300, np.random.default_rng(2))

    assert set(task.z_spec // 100) == {0, 1, 2}
    np.testing.assert_array_equal(task.weight, 1.0)


def test_optional_columns_are_withheld_from_half_of_the_galaxies(source: SimulatedTasks) -> None:
    task = source.pooled(2000, np.random.default_rng(3))

    shown = task.inputs[:, 5:].any(axis=(1, 2))
    assert shown.mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(2000))
    np.testing.assert_array_equal(task.inputs[:, :5], 1.0)
