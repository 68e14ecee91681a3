"""Tasks: the galaxies of one selection regime, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from hbmlc_models.arrays import FloatArray
from hbmlc_models.metalearning.maml import LabelledSet

__all__ = [
    "CONTEXT_DROPPED",
    "Task",
    "TaskSource",
    "draw_support_size",
    "task_tensors",
    "to_labelled_set",
]

CONTEXT_DROPPED = 0.5
"""Probability that the optional columns of a training galaxy are withheld."""
NO_ANCHORS = 0.25
"""Share of tasks without anchors: the start must serve by itself."""


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


def draw_support_size(n_most: int, rng: np.random.Generator) -> int:
    """Anchors of a training task: a quarter of the tasks has none, the others any number."""
    return 0 if rng.random() < NO_ANCHORS else int(rng.integers(0, n_most + 1))


def task_tensors(task: Task, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Float32 tensors of a task."""
    inputs, z_spec, weight = (
        _tensor(np.asarray(column, dtype=np.float32), device)
        for column in (task.inputs, task.z_spec, task.weight)
    )
    return inputs, z_spec, weight


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
        inputs=_tensor(inputs, device),
        z_spec=_tensor(z_spec, device),
        weight=_tensor(weight, device),
    )


def _tensor(column: FloatArray, device: str) -> Tensor:
    """Copy of a column, in memory as torch aligns it: sums differ in their last bit otherwise."""
    return torch.tensor(column, device=device)
