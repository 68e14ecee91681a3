"""Training runs: they can be stopped anywhere, and keep what is best on galaxies never learnt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hbmlc_models.metalearning.checkpoint import Checkpoint, CheckpointError
from hbmlc_models.metalearning.network import Architecture
from hbmlc_models.metalearning.optimise import Stage, Watch, optimise
from hbmlc_models.metalearning.tasks import Task
from hbmlc_models.metalearning.train import (
    MetaNetwork,
    Recipe,
    new_network,
    step_weights,
    train_network,
)

SIZES = Architecture(n_channels=2, n_bands=3, n_maps=4, n_components=2)
RECIPE = Recipe(
    supervised_steps=6,
    batch=16,
    meta_steps=6,
    tasks_per_step=2,
    n_support=5,
    n_query=8,
    n_validation_tasks=3,
    validation_every=2,
)


class Slope:
    """Tasks in which the redshift is a slope times the first input."""

    def pooled(self, n_galaxies: int, rng: np.random.Generator) -> Task:
        inputs = rng.standard_normal((n_galaxies, 2, 3)).astype(np.float32)
        z_spec = np.abs(0.5 + 0.1 * inputs[:, 0, 0])
        return Task(inputs=inputs, z_spec=z_spec, weight=np.ones(n_galaxies))

    def tasks(
        self, n_tasks: int, n_support: int, n_query: int, rng: np.random.Generator
    ) -> tuple[list[Task], list[Task]]:
        return (
            [self.pooled(n_support, rng) for _ in range(n_tasks)],
            [self.pooled(n_query, rng) for _ in range(n_tasks)],
        )


def train(
    checkpoint: Checkpoint | None = None,
    on_progress: Callable[[float, float], None] = lambda _done, _loss: None,
) -> MetaNetwork:
    start = new_network(SIZES, seed=1, n_inner_steps=2)
    return train_network(
        start,
        Slope(),
        RECIPE,
        seed=3,
        validation=Slope(),
        checkpoint=checkpoint,
        on_progress=on_progress,
    )


class Interrupted(Checkpoint):
    """A checkpoint during whose n-th write the power goes."""

    def __init__(self, path: Path, *, after: int) -> None:
        super().__init__(path, run="run", every=1)
        self._left = after

    def save(self, state: object) -> None:
        super().save(state)  # type: ignore[arg-type]
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [1, 4, 6, 7, 9, 12])
def test_resuming_gives_the_same_bytes_as_not_stopping(tmp_path: Path, after: int) -> None:
    whole = train()

    with pytest.raises(KeyboardInterrupt):
        train(Interrupted(tmp_path / "state", after=after))
    resumed = train(Checkpoint(tmp_path / "state", run="run", every=1))

    for one, other in ((whole.weights, resumed.weights), (whole.rates, resumed.rates)):
        assert one.keys() == other.keys()
        for name in one:
            torch.testing.assert_close(one[name], other[name], rtol=0, atol=0)


def test_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"nonsense")

    with pytest.raises(CheckpointError, match="damaged"):
        train(Checkpoint(tmp_path / "state", run="run"))


def test_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    train(Checkpoint(tmp_path / "state", run="one"))

    with pytest.raises(CheckpointError, match="another"):
        train(Checkpoint(tmp_path / "state", run="two"))


def falling(n_steps: int, losses: list[float]) -> tuple[Stage, list[float]]:
    """A stage whose only parameter falls by 0.01 a step, and where each validation found it."""
    x, seen = torch.tensor(1.0, requires_grad=True), []

    def loss() -> float:
        seen.append(float(x.detach()))
        return losses[len(seen) - 1]

    stage = Stage(
        name="fall",
        parameters={"x": x},
        rates={"x": 0.01},
        loss=lambda _step: 1.0 * x,
        n_steps=n_steps,
        watch=Watch(loss=loss, every=1, patience=2),
    )
    return stage, seen


def test_no_progress_in_validation_ends_the_stage_at_its_best() -> None:
    stage, seen = falling(50, [5.0, 3.0, 4.0, 3.5, 1.0, 0.0])

    optimise(stage)

    assert len(seen) == 4
    assert float(stage.parameters["x"].detach()) == seen[1]


def test_training_that_only_harms_leaves_the_start_untouched() -> None:
    stage, seen = falling(50, [1.0, 2.0, 3.0])

    optimise(stage)

    assert float(stage.parameters["x"].detach()) == seen[0] == 1.0


def test_multi_step_weights_sum_to_one_and_end_with_the_last_step() -> None:
    for progress in (0.0, 0.3, 0.5, 1.0):
        assert sum(step_weights(progress, 3, until=0.5)) == pytest.approx(1.0)
    assert step_weights(0.0, 3, until=0.5) == pytest.approx((1 / 3,) * 3)
    assert step_weights(0.6, 3, until=0.5) == (0.0, 0.0, 1.0)
    assert step_weights(0.0, 3, until=0.0) == (0.0, 0.0, 1.0)


def test_random_numbers_of_a_step_do_not_depend_on_how_many_were_planned() -> None:
    start = new_network(SIZES, seed=1, n_inner_steps=2)
    seen: list[np.ndarray] = []

    class Watched(Slope):
        def pooled(self, n_galaxies: int, rng: np.random.Generator) -> Task:
            task = super().pooled(n_galaxies, rng)
            seen.append(task.inputs)
            return task

    for n_steps in (1, 2):
        train_network(
            start, Watched(), replace(RECIPE, supervised_steps=n_steps, meta_steps=0), seed=5
        )

    np.testing.assert_array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[1], seen[2])
