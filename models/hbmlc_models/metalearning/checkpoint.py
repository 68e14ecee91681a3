"""The state of a training run on disk: stop it anywhere, go on, and get the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from hbmlc_models.formats import arrays

__all__ = ["Checkpoint", "CheckpointError", "TrainingState"]


class CheckpointError(ValueError):
    """A checkpoint is damaged, or belongs to another training run."""


@dataclass(slots=True, kw_only=True)
class TrainingState:
    """Everything that the next step of a training run depends on.

    Random numbers are no part of it: those of a step follow from the seed and its number.
    """

    stage: str = ""
    """Name of the stage that is under way."""
    step: int = 0
    """Steps of it that are done."""
    parameters: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """Parameters by name."""
    moments: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """State of the optimiser by name of the parameter and of the moment."""
    best: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    """Parameters of the lowest validation loss."""
    best_loss: float = float("inf")
    """That loss."""
    n_worse: int = 0
    """Validations since then."""
    is_done: bool = False
    """Whether the stage has come to its end."""


_PARTS = ("parameters", "moments", "best")


class Checkpoint:
    """A file that holds the latest state of one training run."""

    def __init__(self, path: Path, *, run: str, every: int = 100) -> None:
        self.path = path
        """The file, in the safetensors format."""
        self.run = run
        """What names the run, such as the digest of its recipe: no other run may go on from it."""
        self.every = every
        """Steps from one write to the next."""

    def save(self, state: TrainingState) -> None:
        """Replace the file by ``state``, all of it or nothing."""
        tensors = {
            f"{part}/{name}": tensor.detach().cpu().numpy()
            for part in _PARTS
            for name, tensor in cast("dict[str, Tensor]", getattr(state, part)).items()
        }
        document: dict[str, arrays.JsonValue] = {
            "run": self.run,
            "stage": state.stage,
            "step": state.step,
            "best_loss": state.best_loss,
            "n_worse": state.n_worse,
            "is_done": state.is_done,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(self.path.name + ".partial")
        partial.write_bytes(arrays.dump(tensors, document))
        partial.replace(self.path)

    def load(self) -> TrainingState | None:
        """State to go on from; ``None`` where nothing was saved.

        Raises
        ------
        CheckpointError
            The file is damaged, or of another run.
        """
        if not self.path.exists():
            return None
        try:
            tensors, document = arrays.load(self.path.read_bytes())
        except arrays.ArrayFileError as exc:
            raise CheckpointError(f"{self.path} is damaged; remove it to start anew") from exc
        if document.get("run") != self.run:
            raise CheckpointError(f"{self.path} is of another recipe; remove it or name another")
        return TrainingState(
            stage=str(document["stage"]),
            step=int(cast("int", document["step"])),
            best_loss=float(cast("float", document["best_loss"])),
            n_worse=int(cast("int", document["n_worse"])),
            is_done=bool(document["is_done"]),
            parameters=_part(tensors, "parameters"),
            moments=_part(tensors, "moments"),
            best=_part(tensors, "best"),
        )


def _part(tensors: Mapping[str, np.ndarray], part: str) -> dict[str, Tensor]:
    """Tensors of one part of a state."""
    prefix = f"{part}/"
    return {
        name.removeprefix(prefix): torch.tensor(np.asarray(tensor))
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
