"""Meta-training: a supervised warm start on all tasks, then second-order MAML across them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from hbmlc_models.metalearning.checkpoint import Checkpoint
from hbmlc_models.metalearning.maml import PRIOR_ANCHORS, meta_loss
from hbmlc_models.metalearning.network import (
    Architecture,
    Weights,
    forward,
    init_weights,
    query_loss,
)
from hbmlc_models.metalearning.optimise import Stage, Watch, optimise
from hbmlc_models.metalearning.tasks import Task, TaskSource, task_tensors, to_labelled_set

__all__ = [
    "MetaNetwork",
    "Recipe",
    "new_network",
    "step_weights",
    "train_network",
]

INITIAL_RATE = 1e-3
"""Inner rate before it is learnt; the published adaptation rate."""
INITIAL_PRIOR = 5.0
"""Anchors that halve the rates, before that is learnt."""
VALIDATION_QUERY = 300
"""Galaxies in the query set of a validation task."""


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
    rate_lr: float = 1e-2
    """Learning rate of the logarithms of the inner rates."""
    multi_step_until: float = 0.0
    """Share of the outer loop in which losses after earlier inner steps count."""
    n_validation_tasks: int = 64
    """Tasks of a validation, where there are any to validate on."""
    validation_every: int = 25
    """Outer steps from one validation to the next."""
    patience: int = 8
    """Validations without progress that end the outer loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaNetwork:
    """A meta-trained network: where to start and how far to step."""

    architecture: Architecture
    """Sizes and head."""
    weights: Weights
    """The meta-learned start."""
    rates: Weights
    """Inner learning rate of each tensor, and how few anchors halve them; scalars."""
    n_inner_steps: int
    """Gradient steps at deployment."""


def new_network(architecture: Architecture, *, seed: int, n_inner_steps: int) -> MetaNetwork:
    """Network with random weights and the published adaptation rate."""
    weights = init_weights(architecture, generator=torch.Generator().manual_seed(seed))
    rates = {name: torch.tensor(INITIAL_RATE) for name in weights}
    rates[PRIOR_ANCHORS] = torch.tensor(INITIAL_PRIOR)
    return MetaNetwork(
        architecture=architecture,
        weights=weights,
        rates=dict(sorted(rates.items())),
        n_inner_steps=n_inner_steps,
    )


def train_network(
    start: MetaNetwork,
    source: TaskSource,
    recipe: Recipe,
    *,
    seed: int,
    validation: TaskSource | None = None,
    checkpoint: Checkpoint | None = None,
    device: str = "cpu",
    on_progress: Callable[[float, float], None] = lambda _fraction, _loss: None,
) -> MetaNetwork:
    """Network trained from ``start``; progress gets the done fraction and the current loss.

    With ``validation`` the outer loop keeps what is best there and stops where it gets no better.
    With a ``checkpoint`` that holds a state of this run the training goes on from it.
    """
    run = _Run(start, source, recipe, seed=seed, device=device)
    state = checkpoint.load() if checkpoint else None
    total = recipe.supervised_steps + recipe.meta_steps
    if state is None or state.stage == _SUPERVISED:
        optimise(
            Stage(
                name=_SUPERVISED,
                parameters=run.weights,
                rates=dict.fromkeys(run.weights, recipe.supervised_lr),
                loss=run.supervised_loss,
                n_steps=recipe.supervised_steps,
            ),
            start=state,
            checkpoint=checkpoint,
            report=lambda step, loss: on_progress(step / total, loss),
        )
    rates = dict.fromkeys(run.weights, recipe.outer_lr)
    optimise(
        Stage(
            name=_META,
            parameters=run.weights | run.log_rates,
            rates=rates | dict.fromkeys(run.log_rates, recipe.rate_lr),
            loss=run.meta_loss,
            n_steps=recipe.meta_steps,
            watch=_watch(run, validation, recipe, seed) if validation else None,
        ),
        start=state,
        checkpoint=checkpoint,
        report=lambda step, loss: on_progress((recipe.supervised_steps + step) / total, loss),
    )
    return run.network()


_SUPERVISED, _META = "supervised", "meta"
_RATE = "rate of "


class _Run:
    """Parameters of one training run, and its losses as functions of the step.

    Each step has random numbers of its own, so that a run can go on from any of them.
    """

    def __init__(
        self, start: MetaNetwork, source: TaskSource, recipe: Recipe, *, seed: int, device: str
    ) -> None:
        self._start, self._source, self._recipe = start, source, recipe
        self._seed, self._device = seed, device
        self.weights = {k: w.to(device).clone().requires_grad_() for k, w in start.weights.items()}
        self.log_rates = {
            _RATE + name: torch.log(rate.to(device)).clone().requires_grad_()
            for name, rate in start.rates.items()
        }

    def supervised_loss(self, step: int) -> Tensor:
        """Mean loss of galaxies of all regimes."""
        task = self._source.pooled(
            self._recipe.batch, np.random.default_rng([self._seed, 7, 0, step])
        )
        inputs, z_spec, weight = task_tensors(task, self._device)
        losses = query_loss(
            forward(self.weights, inputs), z_spec, head=self._start.architecture.head
        )
        return (losses * weight).sum() / weight.sum()

    def meta_loss(self, step: int) -> Tensor:
        """Loss after adaptation to some tasks."""
        recipe = self._recipe
        support, query = self._source.tasks(
            recipe.tasks_per_step,
            recipe.n_support,
            recipe.n_query,
            np.random.default_rng([self._seed, 7, 1, step]),
        )
        shares = step_weights(
            step / recipe.meta_steps, recipe.n_inner_steps, until=recipe.multi_step_until
        )
        return self._adapted_loss(support, query, shares)

    def validation_loss(self, tasks: tuple[list[Task], list[Task]]) -> float:
        """Loss after adaptation to given tasks."""
        last = step_weights(1.0, self._recipe.n_inner_steps, until=0.0)
        size = self._recipe.tasks_per_step
        total = 0.0
        with torch.no_grad():
            for first in range(0, len(tasks[0]), size):
                support, query = (sets[first : first + size] for sets in tasks)
                total += len(support) * float(self._adapted_loss(support, query, last))
        return total / len(tasks[0])

    def _adapted_loss(
        self, support: list[Task], query: list[Task], shares: tuple[float, ...]
    ) -> Tensor:
        """Weighted loss after the inner steps."""
        return meta_loss(
            self.weights,
            {name.removeprefix(_RATE): torch.exp(r) for name, r in self.log_rates.items()},
            to_labelled_set(support, self._recipe.n_support, device=self._device),
            to_labelled_set(query, len(query[0].z_spec), device=self._device),
            step_weights=shares,
            head=self._start.architecture.head,
        )

    def network(self) -> MetaNetwork:
        """Network of the parameters as they are."""
        rates = {name.removeprefix(_RATE): torch.exp(r) for name, r in self.log_rates.items()}
        return replace(
            self._start,
            weights={name: w.detach().cpu() for name, w in self.weights.items()},
            rates={name: rate.detach().cpu() for name, rate in rates.items()},
            n_inner_steps=self._recipe.n_inner_steps,
        )


def step_weights(progress: float, n_steps: int, *, until: float) -> tuple[float, ...]:
    """Weights of the losses after each inner step, with sum one.

    At first all count alike, from ``until`` of the outer loop on the last alone: the multi-step
    loss of MAML++ (Antoniou et al. 2019). With ``until`` zero it is plain MAML.

    Examples
    --------
    >>> step_weights(0.0, 2, until=0.5), step_weights(0.25, 2, until=0.5)
    ((0.5, 0.5), (0.25, 0.75))
    """
    early = max(0.0, 1 - progress / until) / n_steps if until else 0.0
    return (early,) * (n_steps - 1) + (1 - early * (n_steps - 1),)


def _watch(run: _Run, validation: TaskSource, recipe: Recipe, seed: int) -> Watch:
    """Watch on tasks that are drawn once and stay the same."""
    tasks = validation.tasks(
        recipe.n_validation_tasks,
        recipe.n_support,
        VALIDATION_QUERY,
        np.random.default_rng([seed, 8]),
    )
    return Watch(
        loss=lambda: run.validation_loss(tasks),
        every=recipe.validation_every,
        patience=recipe.patience,
    )
