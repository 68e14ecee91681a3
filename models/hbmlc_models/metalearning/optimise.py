"""One stage of a training run: Adam with a cosine-shaped rate, watched and kept on disk."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hbmlc_models.metalearning.checkpoint import Checkpoint, TrainingState

__all__ = ["Stage", "Watch", "optimise"]

MAX_GRADIENT_NORM = 5.0
"""Gradients longer than this are shortened: a hard tile must not throw the weights away."""
REPORT_EVERY = 25
"""Steps from one report of progress to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Validation: the parameters of the lowest loss are kept, and no progress ends the stage."""

    loss: Callable[[], float]
    """Loss of the parameters as they are, on galaxies that they do not learn from."""
    every: int
    """Steps from one validation to the next."""
    patience: int
    """Validations without a lower loss that end the stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What is minimised, for how long and how fast."""

    name: str
    """Name in checkpoints."""
    parameters: dict[str, Tensor]
    """Leaves that change in place."""
    rates: dict[str, float]
    """Peak learning rate of each parameter."""
    loss: Callable[[int], Tensor]
    """Loss of a step, from its number."""
    n_steps: int
    """Steps at most."""
    watch: Watch | None = None
    """Validation, if any."""


def optimise(
    stage: Stage,
    *,
    start: TrainingState | None = None,
    checkpoint: Checkpoint | None = None,
    report: Callable[[int, float], None] = lambda _step, _loss: None,
) -> None:
    """Minimise; the parameters change in place and end at the best that the watch has seen.

    A state of this stage in ``start`` is gone on from.
    """
    if stage.n_steps == 0:
        return
    state = start if start and start.stage == stage.name else TrainingState(stage=stage.name)
    groups = [{"params": [p], "lr": stage.rates[n]} for n, p in stage.parameters.items()]
    optimiser = torch.optim.Adam(groups)
    _restore(stage, optimiser, state)
    if stage.watch and not state.best:
        _judge(stage, stage.watch, state)
    while not state.is_done:
        loss = _step(stage, optimiser, state.step)
        state.step += 1
        is_last = state.step == stage.n_steps
        if stage.watch and (is_last or state.step % stage.watch.every == 0):
            _judge(stage, stage.watch, state)
        is_stuck = stage.watch is not None and state.n_worse >= stage.watch.patience
        state.is_done = is_last or is_stuck
        if checkpoint and (state.is_done or state.step % checkpoint.every == 0):
            _collect(stage, optimiser, state)
            checkpoint.save(state)
        if state.is_done or state.step % REPORT_EVERY == 1:
            report(state.step, loss)
    with torch.no_grad():
        for name, tensor in state.best.items():
            stage.parameters[name].copy_(tensor)


def _step(stage: Stage, optimiser: torch.optim.Adam, step: int) -> float:
    """One step down the gradient; the loss before it."""
    for group, peak in zip(optimiser.param_groups, stage.rates.values(), strict=True):
        group["lr"] = peak * _one_cycle(step / stage.n_steps)
    optimiser.zero_grad()
    loss = stage.loss(step)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(list(stage.parameters.values()), MAX_GRADIENT_NORM)
    optimiser.step()
    return float(loss.detach())


def _judge(stage: Stage, watch: Watch, state: TrainingState) -> None:
    """Validate, and keep the parameters if they are the best so far."""
    loss = watch.loss()
    if not state.best or loss < state.best_loss:
        state.best = {name: p.detach().clone() for name, p in stage.parameters.items()}
        state.best_loss, state.n_worse = loss, 0
    else:
        state.n_worse += 1


def _collect(stage: Stage, optimiser: torch.optim.Adam, state: TrainingState) -> None:
    """Copy parameters and moments into the state."""
    state.parameters = {name: p.detach().clone() for name, p in stage.parameters.items()}
    state.moments = {
        f"{name}/{moment}": value.clone()
        for name, parameter in stage.parameters.items()
        for moment, value in optimiser.state[parameter].items()
    }


def _restore(stage: Stage, optimiser: torch.optim.Adam, state: TrainingState) -> None:
    """Set parameters and moments to those of the state, if it has any."""
    for name, tensor in state.parameters.items():
        parameter = stage.parameters[name]
        with torch.no_grad():
            parameter.copy_(tensor)
        moments = {m: state.moments[f"{name}/{m}"] for m in ("step", "exp_avg", "exp_avg_sq")}
        # Adam counts its steps on the processor wherever the parameters are.
        optimiser.state[parameter] = {
            moment: value if moment == "step" else value.to(parameter.device)
            for moment, value in moments.items()
        }


def _one_cycle(fraction: float) -> float:
    """Relative learning rate: a short linear rise, then a cosine to nearly zero."""
    warm = 0.05
    if fraction < warm:
        return 0.1 + 0.9 * fraction / warm
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (fraction - warm) / (1 - warm)))
