"""MAML is MAML: second-order gradients, one adaptation a tile, and a gain on tasks never seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hbmlc_models.metalearning.maml import (
    PRIOR_ANCHORS,
    LabelledSet,
    adapt,
    adapt_tiles_weights,
    effective_size,
    meta_loss,
    set_loss,
    trust,
)
from hbmlc_models.metalearning.network import Architecture, Head, Weights, init_weights
from hbmlc_models.metalearning.tasks import Task, draw_support_size, to_labelled_set
from hbmlc_models.metalearning.train import MetaNetwork, Recipe, train_network

N_TILES, N_SUPPORT, N_QUERY = 3, 6, 8
SIZES = Architecture(n_channels=2, n_bands=3, n_maps=4, n_components=2)
DOUBLE = torch.float64


def make_weights(head: Head, *, rate: float = 0.05) -> tuple[Weights, Weights]:
    generator = torch.Generator().manual_seed(3)
    start = init_weights(replace(SIZES, head=head), generator=generator)
    weights = {name: tensor.to(DOUBLE) for name, tensor in start.items()}
    for layer in range(SIZES.n_layers):
        # With a bias of zero, units without input sit exactly on the kink of the ReLU.
        bias = weights[f"conv{layer}.bias"]
        bias += 0.1 + 0.1 * torch.rand(bias.shape, generator=generator, dtype=DOUBLE)
    return weights, {name: torch.tensor(rate, dtype=DOUBLE) for name in weights}


def make_set(n: int, seed: int) -> LabelledSet:
    generator = torch.Generator().manual_seed(seed)
    return LabelledSet(
        inputs=torch.randn(N_TILES, n, 2, 3, generator=generator, dtype=DOUBLE),
        z_spec=torch.rand(N_TILES, n, generator=generator, dtype=DOUBLE) + 0.2,
        weight=torch.rand(N_TILES, n, generator=generator, dtype=DOUBLE),
    )


SUPPORT, QUERY = make_set(N_SUPPORT, 4), make_set(N_QUERY, 5)
LAST = (0.0, 1.0)


def outer_gradient(
    weights: Weights, rates: Weights, head: Head, shares: tuple[float, ...] = LAST
) -> Weights:
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    loss = meta_loss(leaves, rates, SUPPORT, QUERY, step_weights=shares, head=head)
    return dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))


def first_order_gradient(weights: Weights, rates: Weights, head: Head) -> Weights:
    """Gradient of the query loss at the adapted weights, as if these were the start."""
    total = {name: torch.zeros_like(tensor) for name, tensor in weights.items()}
    for tile in range(N_TILES):
        support = (SUPPORT.inputs[tile], SUPPORT.z_spec[tile], SUPPORT.weight[tile])
        adapted = adapt(weights, rates, support, n_steps=2, head=head)
        leaves = {name: tensor.detach().requires_grad_() for name, tensor in adapted.items()}
        loss = set_loss(
            leaves, QUERY.inputs[tile], QUERY.z_spec[tile], QUERY.weight[tile], head=head
        )
        parts = torch.autograd.grad(loss, list(leaves.values()))
        for name, part in zip(leaves, parts, strict=True):
            total[name] += part / N_TILES
    return total


@pytest.mark.parametrize("shares", [LAST, (0.5, 0.5), (0.2, 0.3, 0.5)])
@pytest.mark.parametrize("head", list(Head))
def test_meta_gradient_is_that_of_finite_differences(head: Head, shares: tuple[float, ...]) -> None:
    weights, rates = make_weights(head)
    rates[PRIOR_ANCHORS] = torch.tensor(4.0, dtype=DOUBLE)
    gradient = outer_gradient(weights, rates, head, shares)
    generator = torch.Generator().manual_seed(6)
    step = 1e-6

    for _ in range(4):
        direction = {
            name: torch.randn(tensor.shape, generator=generator, dtype=DOUBLE)
            for name, tensor in weights.items()
        }
        ahead, behind = (
            meta_loss(
                {name: weights[name] + sign * step * direction[name] for name in weights},
                rates,
                SUPPORT,
                QUERY,
                step_weights=shares,
                head=head,
            )
            for sign in (1, -1)
        )
        slope = sum((gradient[name] * direction[name]).sum() for name in weights)
        # Central differences err by step² and by rounding over step: 1e-9 in double precision.
        assert float(slope) == pytest.approx(float(ahead - behind) / (2 * step), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("head", list(Head))
def test_meta_gradient_is_not_the_first_order_one(head: Head) -> None:
    weights, rates = make_weights(head)

    full = torch.cat([g.flatten() for g in outer_gradient(weights, rates, head).values()])
    first = torch.cat([g.flatten() for g in first_order_gradient(weights, rates, head).values()])

    assert (full - first).norm() > 1e-3 * full.norm()


@pytest.mark.parametrize("head", list(Head))
def test_without_inner_rate_second_order_is_first_order(head: Head) -> None:
    weights, rates = make_weights(head, rate=0.0)

    full, first = outer_gradient(weights, rates, head), first_order_gradient(weights, rates, head)

    for name in weights:
        torch.testing.assert_close(full[name], first[name])


def test_adapting_tiles_side_by_side_equals_a_loop() -> None:
    weights, rates = make_weights(Head.MIXTURE)

    together = adapt_tiles_weights(weights, rates, SUPPORT, n_steps=3, head=Head.MIXTURE)

    for tile in range(N_TILES):
        support = (SUPPORT.inputs[tile], SUPPORT.z_spec[tile], SUPPORT.weight[tile])
        share = trust(weights, rates, support, n_steps=3, head=Head.MIXTURE)
        scaled = {name: share * rate for name, rate in rates.items()}
        alone = adapt(weights, scaled, support, n_steps=3, head=Head.MIXTURE)
        for name in weights:
            torch.testing.assert_close(together[name][tile], alone[name])


def test_padding_of_weight_zero_changes_nothing() -> None:
    weights, rates = make_weights(Head.MIXTURE)
    short = LabelledSet(
        inputs=SUPPORT.inputs[:, :4], z_spec=SUPPORT.z_spec[:, :4], weight=SUPPORT.weight[:, :4]
    )
    hidden = SUPPORT.weight.clone()
    hidden[:, 4:] = 0.0

    one = adapt_tiles_weights(weights, rates, short, n_steps=2, head=Head.MIXTURE)
    two = adapt_tiles_weights(
        weights, rates, replace(SUPPORT, weight=hidden), n_steps=2, head=Head.MIXTURE
    )

    for name in weights:
        torch.testing.assert_close(one[name], two[name])


@pytest.mark.parametrize("head", list(Head))
def test_empty_support_set_changes_nothing(head: Head) -> None:
    weights, rates = make_weights(head)
    nobody = replace(SUPPORT, weight=torch.zeros_like(SUPPORT.weight))

    adapted = adapt_tiles_weights(weights, rates, nobody, n_steps=3, head=head)

    for name, tensor in weights.items():
        torch.testing.assert_close(
            adapted[name], tensor.expand(adapted[name].shape), rtol=0, atol=0
        )
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    meta_loss(leaves, rates, nobody, QUERY, step_weights=LAST, head=head).backward()
    assert all(torch.isfinite(leaf.grad).all() for leaf in leaves.values())


def test_one_wrong_redshift_does_not_throw_the_weights_away() -> None:
    weights, rates = make_weights(Head.MIXTURE, rate=1e-3)
    wrong = SUPPORT.z_spec.clone()
    wrong[:, 0] = 30.0

    adapted = adapt_tiles_weights(
        weights, rates, replace(SUPPORT, z_spec=wrong), n_steps=3, head=Head.MIXTURE
    )

    moved = sum(((adapted[n] - weights[n]) ** 2).flatten(1).sum(1) for n in weights)
    # Three steps of rate 1e-3 and a gradient of length one at most.
    assert torch.all(moved.sqrt() <= 3e-3 * (1 + 1e-9))


@pytest.mark.parametrize("n_anchors", [1, 2, 6])
def test_adaptation_moves_no_farther_than_its_anchors_allow(n_anchors: int) -> None:
    weights, rates = make_weights(Head.MIXTURE, rate=0.2)
    rates[PRIOR_ANCHORS] = torch.tensor(4.0, dtype=DOUBLE)
    weight = torch.zeros_like(SUPPORT.weight)
    weight[:, :n_anchors] = 1.0

    adapted = adapt_tiles_weights(
        weights, rates, replace(SUPPORT, weight=weight), n_steps=3, head=Head.MIXTURE
    )

    moved = sum(((adapted[n] - weights[n]) ** 2).flatten(1).sum(1) for n in weights).sqrt()
    # Steps times rate times the length of a gradient, and n anchors of equal weight out of n + 4.
    assert torch.all(moved <= 3 * 0.2 * n_anchors / (n_anchors + 4) * (1 + 1e-9))
    assert torch.all(moved > 0)


def test_few_heavy_anchors_count_as_few() -> None:
    alike, uneven = torch.ones(50), torch.cat([torch.ones(2), torch.full((48,), 1e-6)])

    assert float(effective_size(alike)) == pytest.approx(50)
    assert float(effective_size(uneven)) == pytest.approx(2, rel=1e-3)
    assert float(effective_size(torch.zeros(5))) == 0


def test_adaptation_that_does_not_carry_over_is_held_back() -> None:
    weights, rates = make_weights(Head.MSE, rate=0.3)
    weights["head.weight"] = torch.zeros_like(weights["head.weight"])
    weights["head.bias"] = torch.full_like(weights["head.bias"], 0.9)
    generator = torch.Generator().manual_seed(9)
    inputs = torch.randn(40, 2, 3, generator=generator, dtype=DOUBLE)
    weight = torch.ones(40, dtype=DOUBLE)
    # All anchors are farther than the network says; or every second one, and the others nearer.
    agreed = torch.full((40,), 1.4, dtype=DOUBLE)
    rank = torch.argsort(torch.argsort(inputs.sum(dim=(-2, -1))))
    opposed = torch.where(rank % 2 == 0, agreed, 0.4)

    shares = [
        float(trust(weights, rates, (inputs, z, weight), n_steps=3, head=Head.MSE))
        for z in (agreed, opposed)
    ]

    assert shares[0] > 0.95
    assert shares[1] < 0.05


def test_order_of_anchors_is_of_no_consequence() -> None:
    weights, rates = make_weights(Head.MIXTURE)
    order = torch.randperm(N_SUPPORT, generator=torch.Generator().manual_seed(10))
    moved = LabelledSet(
        inputs=SUPPORT.inputs[:, order],
        z_spec=SUPPORT.z_spec[:, order],
        weight=SUPPORT.weight[:, order],
    )

    one = adapt_tiles_weights(weights, rates, SUPPORT, n_steps=2, head=Head.MIXTURE)
    two = adapt_tiles_weights(weights, rates, moved, n_steps=2, head=Head.MIXTURE)

    for name in weights:
        torch.testing.assert_close(one[name], two[name])


class ShiftedLines:
    """Tasks that differ in an offset of redshift, which nothing but the anchors tells."""

    def __init__(self, scatter: float) -> None:
        self._scatter = scatter

    def draw(self, n: int, offset: float, rng: np.random.Generator) -> Task:
        inputs = rng.standard_normal((n, 2, 3))
        z_spec = 1.0 + 0.2 * np.tanh(inputs[:, 0].mean(axis=1)) + offset
        return Task(inputs=inputs, z_spec=z_spec, weight=np.ones(n))

    def offset(self, rng: np.random.Generator) -> float:
        return self._scatter * float(rng.standard_normal())

    def pooled(self, n_galaxies: int, rng: np.random.Generator) -> Task:
        return self.draw(n_galaxies, self.offset(rng), rng)

    def tasks(
        self, n_tasks: int, n_support: int, n_query: int, rng: np.random.Generator
    ) -> tuple[list[Task], list[Task]]:
        offsets = [self.offset(rng) for _ in range(n_tasks)]
        return (
            [self.draw(n_support, offset, rng) for offset in offsets],
            [self.draw(n_query, offset, rng) for offset in offsets],
        )


def test_adaptation_beats_no_adaptation_on_tasks_never_seen() -> None:
    source = ShiftedLines(scatter=0.2)
    sizes = replace(SIZES, n_maps=8, head=Head.MSE)
    weights = init_weights(sizes, generator=torch.Generator().manual_seed(7))
    start = MetaNetwork(
        architecture=sizes,
        weights=weights,
        rates={name: torch.tensor(0.03) for name in weights},
        n_inner_steps=2,
    )
    recipe = Recipe(
        supervised_steps=100, batch=64, meta_steps=150, outer_lr=3e-3, tasks_per_step=8, n_query=30
    )

    network = train_network(start, source, recipe, seed=8)

    support, query = source.tasks(40, 50, 100, np.random.default_rng(99))
    sets = to_labelled_set(support, 50), to_labelled_set(query, 100)
    losses = [
        meta_loss(network.weights, network.rates, *sets, step_weights=shares, head=Head.MSE).item()
        for shares in ((), (0.0, 1.0))
    ]
    # Without anchors the variance of the offsets, 0.04, cannot be explained.
    assert losses[0] > 0.02
    assert losses[1] < 0.5 * losses[0]


def test_training_is_a_function_of_the_seed() -> None:
    weights = init_weights(SIZES, generator=torch.Generator().manual_seed(7))
    start = MetaNetwork(
        architecture=SIZES,
        weights=weights,
        rates={name: torch.tensor(0.01) for name in weights},
        n_inner_steps=1,
    )
    recipe = Recipe(supervised_steps=5, batch=16, meta_steps=2, n_inner_steps=2)

    one, same, other = (
        train_network(start, ShiftedLines(0.1), recipe, seed=seed) for seed in (1, 1, 2)
    )

    assert one.n_inner_steps == 2
    for name in weights:
        torch.testing.assert_close(one.weights[name], same.weights[name], rtol=0, atol=0)
    assert any(not torch.equal(one.weights[n], other.weights[n]) for n in weights)
    assert all(float(rate) > 0 for rate in one.rates.values())


def test_some_training_tasks_have_no_anchors_and_some_have_all() -> None:
    rng = np.random.default_rng(1)

    sizes = np.array([draw_support_size(3, rng) for _ in range(400)])

    # A quarter by rule and a quarter of the rest by chance, give or take five sigma.
    share = 0.25 + 0.75 / 4
    assert np.mean(sizes == 0) == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / 400))
    assert set(sizes) == {0, 1, 2, 3}
