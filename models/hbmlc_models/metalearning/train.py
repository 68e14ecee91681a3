"""Meta-training: a supervised warm start on all tasks, then second-order MAML across them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from hbmlc_models.arrays import FloatArray
from hbmlc_models.metalearning.maml import LabelledSet, meta_loss
from hbmlc_models.metalearning.network import (
    Architecture,
    Weights,
    forward,
    init_weights,
    query_loss,
)

__all__ = [
    "CONTEXT_DROPPED",
    "MetaNetwork",
    "Recipe",
    "Task",
    "TaskSource",
    "draw_support_size",
    "new_network",
    "to_labelled_set",
    "train_network",
]

INITIAL_RATE = 1e-3
"""Inner rate before it is learnt; the published adaptation rate."""
CONTEXT_DROPPED = 0.5
"""Probability that the optional columns of a training galaxy are withheld."""
NO_ANCHORS = 0.25
"""Share of tasks without anchors: the start must serve by itself."""
MAX_GRADIENT_NORM = 5.0
"""Gradients longer than this are shortened: a hard tile must not throw the weights away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Labelled galaxies of one selection regime, as inputs of the network."""

    inputs: FloatArray
    """``(n_galaxies, n_channels, n_bands)``."""
    z_spec: FloatArray
    """``(n_galaxies,)``."""
    weight: FloatArray
    """``(n_galaxies,)``."""


class TaskSource(Protocol):
    """Where tasks come from: a simulator, or the labelled galaxies of a survey."""

    def pooled(self, n_galaxies: int, rng: np.random.Generator) -> Task:
        """Galaxies of all regimes mixed, for the supervised start."""
        ...

    def tasks(
        self, n_tasks: int, n_support: int, n_query: int, rng: np.random.Generator
    ) -> tuple[list[Task], list[Task]]:
        """Support and query sets of as many regimes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is meta-trained."""

    supervised_steps: int = 1500
    """Steps of the supervised start."""
    batch: int = 512
    """Galaxies in one of them."""
    supervised_lr: float = 2e-3
    """Peak learning rate of the start (Adam, one cycle)."""
    meta_steps: int = 300
    """Steps of the outer loop."""
    outer_lr: float = 1e-4
    """Meta-learning rate (Adam); the published one."""
    tasks_per_step: int = 8
    """Tasks in one outer step."""
    n_support: int = 50
    """Most anchors in a support set; each task has between none and all of them."""
    n_query: int = 100
    """Galaxies in a query set."""
    n_inner_steps: int = 2
    """Gradient steps on the support set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaNetwork:
    """A meta-trained network: where to start and how far to step."""

    architecture: Architecture
    """Sizes and head."""
    weights: Weights
    """The meta-learned start."""
    rates: Weights
    """Inner learning rate of each tensor, scalars."""
    n_inner_steps: int
    """Gradient steps at deployment."""


def new_network(architecture: Architecture, *, seed: int, n_inner_steps: int) -> MetaNetwork:
    """Network with random weights and the published adaptation rate."""
    weights = init_weights(architecture, generator=torch.Generator().manual_seed(seed))
    return MetaNetwork(
        architecture=architecture,
        weights=weights,
        rates={name: torch.tensor(INITIAL_RATE) for name in weights},
        n_inner_steps=n_inner_steps,
    )


def train_network(
    start: MetaNetwork,
    source: TaskSource,
    recipe: Recipe,
    *,
    seed: int,
    device: str = "cpu",
    on_progress: Callable[[float, float], None] = lambda _fraction, _loss: None,
) -> MetaNetwork:
    """Network trained from ``start``; progress gets the done fraction and the current loss."""
    rng = np.random.default_rng([seed, 7])
    weights = {k: w.to(device).clone().requires_grad_() for k, w in start.weights.items()}
    log_rates = {
        k: torch.log(r.to(device)).clone().requires_grad_() for k, r in start.rates.items()
    }
    total = recipe.supervised_steps + recipe.meta_steps

    def supervised(_: int) -> Tensor:
        task = source.pooled(recipe.batch, rng)
        inputs, z_spec, weight = _tensors(task, device)
        losses = query_loss(forward(weights, inputs), z_spec, head=start.architecture.head)
        return (losses * weight).sum() / weight.sum()

    def meta(_: int) -> Tensor:
        support, query = source.tasks(recipe.tasks_per_step, recipe.n_support, recipe.n_query, rng)
        return meta_loss(
            weights,
            {k: torch.exp(r) for k, r in log_rates.items()},
            to_labelled_set(support, recipe.n_support, device=device),
            to_labelled_set(query, recipe.n_query, device=device),
            n_steps=recipe.n_inner_steps,
            head=start.architecture.head,
        )

    groups = [{"params": list(weights.values())}]
    _optimise(
        groups,
        supervised,
        n_steps=recipe.supervised_steps,
        lr=recipe.supervised_lr,
        report=lambda step, loss: on_progress(step / total, loss),
    )
    _optimise(
        [*groups, {"params": list(log_rates.values()), "lr": 100 * recipe.outer_lr}],
        meta,
        n_steps=recipe.meta_steps,
        lr=recipe.outer_lr,
        report=lambda step, loss: on_progress((recipe.supervised_steps + step) / total, loss),
    )
    return replace(
        start,
        weights={k: w.detach().cpu() for k, w in weights.items()},
        rates={k: torch.exp(r.detach()).cpu() for k, r in log_rates.items()},
        n_inner_steps=recipe.n_inner_steps,
    )


def _optimise(
    groups: Sequence[Mapping[str, object]],
    loss_of: Callable[[int], Tensor],
    *,
    n_steps: int,
    lr: float,
    report: Callable[[int, float], None],
) -> None:
    """Adam with a cosine-shaped rate; the parameters change in place."""
    if n_steps == 0:
        return
    optimiser = torch.optim.Adam([dict(group) for group in groups], lr=lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: _one_cycle(step / max(n_steps, 1))
    )
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for step in range(n_steps):
        optimiser.zero_grad()
        loss = loss_of(step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, MAX_GRADIENT_NORM)
        optimiser.step()
        schedule.step()
        if step % 25 == 0 or step == n_steps - 1:
            report(step + 1, float(loss.detach()))


def _one_cycle(fraction: float) -> float:
    """Relative learning rate: a short linear rise, then a cosine to nearly zero."""
    warm = 0.05
    if fraction < warm:
        return 0.1 + 0.9 * fraction / warm
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (fraction - warm) / (1 - warm)))


def draw_support_size(n_most: int, rng: np.random.Generator) -> int:
    """Anchors of a training task: a quarter of the tasks has none, the others any number."""
    return 0 if rng.random() < NO_ANCHORS else int(rng.integers(0, n_most + 1))


def _tensors(task: Task, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Float32 tensors of a task."""
    columns = (task.inputs, task.z_spec, task.weight)
    tensors = [torch.from_numpy(np.ascontiguousarray(c, dtype=np.float32)) for c in columns]
    return tensors[0].to(device), tensors[1].to(device), tensors[2].to(device)


def to_labelled_set(tasks: list[Task], length: int, *, device: str = "cpu") -> LabelledSet:
    """Tasks side by side, each padded to ``length`` galaxies of weight zero."""
    shape = tasks[0].inputs.shape[1:]
    inputs = np.zeros((len(tasks), length, *shape), dtype=np.float32)
    z_spec = np.zeros((len(tasks), length), dtype=np.float32)
    weight = np.zeros((len(tasks), length), dtype=np.float32)
    for row, task in enumerate(tasks):
        n = len(task.z_spec)
        inputs[row, :n], z_spec[row, :n], weight[row, :n] = task.inputs, task.z_spec, task.weight
    return LabelledSet(
        inputs=torch.from_numpy(inputs).to(device),
        z_spec=torch.from_numpy(z_spec).to(device),
        weight=torch.from_numpy(weight).to(device),
    )
