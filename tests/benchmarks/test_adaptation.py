"""The opponent of adaptation is the real thing, and the worlds are nobody's training data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from benchmarks.fine_tuning import STEPS, Tuning, best_tunings, fine_tuned
from benchmarks.held_out_tiles import HELD_OUT_SEED, SCORES, TileScores, paired, score_tile

from hbmlc_models.metalearning.network import Architecture, Weights, init_weights
from hbmlc_models.training import read_recipe, shipped_recipes
from hbmlc_models.training.simulated_tasks import TileInputs

N = 40


@pytest.fixture
def weights() -> Weights:
    sizes = Architecture(n_channels=2, n_bands=3, n_maps=4, n_components=2)
    return init_weights(sizes, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def tile() -> TileInputs:
    rng = np.random.default_rng(2)
    return TileInputs(
        inputs=rng.standard_normal((N, 2, 3)).astype(np.float32),
        z_true=np.full(N, 0.7),
        labelled=np.arange(20),
        propensity=np.full(N, 0.5),
    )


def test_no_recipe_has_the_held_out_seed() -> None:
    assert HELD_OUT_SEED not in {read_recipe(name).seed for name in shipped_recipes()}


def test_fine_tuning_learns_from_its_anchors_and_from_nothing_else(
    weights: Weights, tile: TileInputs
) -> None:
    tuning = Tuning(optimiser="sgd", rate=1e-2, n_steps=STEPS[0])
    rng = np.random.default_rng(3)
    some, nobody = tile.anchors(10, rng), tile.anchors(0, rng)

    tuned = fine_tuned(weights, tile, some, tuning)
    same = fine_tuned(weights, tile, nobody, tuning)

    assert any(not torch.equal(tuned[name], weights[name]) for name in weights)
    for name in weights:
        torch.testing.assert_close(same[name], weights[name], rtol=0, atol=0)


def test_the_best_tuning_is_a_bold_one_where_all_redshifts_are_the_same(
    weights: Weights, tile: TileInputs
) -> None:
    best = best_tunings(weights, [tile], (10,))[10]

    assert (best.n_steps, best.rate) in {(STEPS[-1], 1e-2), (STEPS[-1], 3e-3)}


def test_sharper_right_answers_have_better_scores() -> None:
    z_true = np.full(50, 0.7)
    sharp, broad = (
        np.tile(np.array([[0.0, np.log1p(0.7), log_scale]], np.float32), (50, 1))
        for log_scale in (-3.0, -1.5)
    )

    one, other = score_tile(sharp, z_true), score_tile(broad, z_true)

    assert one.nll < other.nll
    assert one.cde_loss < other.cde_loss
    # A normal density of scale s at its mean: the log of s times the root of 2 pi.
    assert one.nll == pytest.approx(np.log((0.005 + np.exp(-3.0)) * np.sqrt(2 * np.pi)), abs=1e-5)


def test_paired_intervals_hold_what_all_tiles_share() -> None:
    ours = [TileScores(nmad=x, outlier_fraction=x, cde_loss=x, nll=x) for x in (1.0, 5.0, 9.0)]
    theirs = [TileScores(nmad=x, outlier_fraction=x, cde_loss=x, nll=x) for x in (1.5, 5.5, 9.5)]

    for name in SCORES:
        assert paired(ours, theirs)[name] == pytest.approx((5.0, -0.5, -0.5, -0.5))
