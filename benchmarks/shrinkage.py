"""How far to trust an adaptation: what is gained and what is lost by each rule.

Usage: python -m benchmarks.shrinkage [--model lsst-ugrizy]

Judged on the validation worlds of the version's recipe: the rule that ships was chosen here, and
``benchmarks.adaptation`` examines it on others.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.fine_tuning import tile_nll
from hbmlc_models.anchors import Anchors
from hbmlc_models.base_models import list_versions, load_version
from hbmlc_models.metalearning.maml import PRIOR_ANCHORS, adapt, held_out_gain
from hbmlc_models.metalearning.network import Weights
from hbmlc_models.metalearning.train import MetaNetwork
from hbmlc_models.training import TrainingRecipe
from hbmlc_models.training.simulated_tasks import TileInputs, prepare_tiles
from hbmlc_models.training.version import simulate_tiles

__all__ = ["RULES", "change_of_loss"]

RESULTS = Path(__file__).parent / "results"
ANCHORS = (5, 10, 25, 50)
N_DRAWS = 2
"""Sets of anchors for a tile."""
NOTABLE = 0.005
"""Losses of log likelihood that the table counts."""

RULES: dict[str, Callable[[float, float], float]] = {
    "all of it": lambda _gain, _error: 1.0,
    "all or nothing": lambda gain, _error: float(gain > 0),
    "logistic in g/s + 1": lambda gain, error: 1 / (1 + math.exp(-gain / error - 1)),
    "logistic in g/s": lambda gain, error: 1 / (1 + math.exp(-gain / error)),
    "g over g + s/2": lambda gain, error: max(gain, 0.0) / (max(gain, 0.0) + error / 2),
}
"""Share of the rates from the gain on held-out anchors and its standard error."""


def main() -> None:
    """Judge all rules and write the table."""
    parser = argparse.ArgumentParser(description="How far should an adaptation be trusted?")
    parser.add_argument("--model", default="lsst-ugrizy")
    model = parser.parse_args().model
    version = load_version(model, dict(list_versions())[model])
    network, recipe = version.network, TrainingRecipe(**version.card["recipe"])
    if network is None:
        raise ValueError(f"{model} has no network")
    worlds = range(recipe.n_worlds, recipe.n_worlds + recipe.n_validation_worlds)
    tiles = prepare_tiles(simulate_tiles(recipe, worlds), frame=version.frame)[1]
    setting = (
        f"{model}:{version.version}, {len(tiles)} tiles of its validation worlds, {N_DRAWS} sets "
        "of anchors each. Change of the mean negative log likelihood against no adaptation."
    )
    lines = [
        setting,
        "",
        "| anchors | rule | mean change | worse | by over 0.005 | mean harm | worst |",
        "|---|---|---|---|---|---|---|",
    ]
    for k in ANCHORS:
        changes = [change_of_loss(network, tile, k, number) for number, tile in enumerate(tiles)]
        for rule in RULES:
            change = np.concatenate([by_rule[rule] for by_rule in changes])
            lines.append(
                f"| {k} | {rule} | {change.mean():+.4f} | {np.mean(change > 0):.0%} "
                f"| {np.mean(change > NOTABLE):.0%} | {np.maximum(change, 0).mean():.4f} "
                f"| {change.max():+.4f} |"
            )
            print(lines[-1], flush=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "shrinkage.md").write_text("\n".join(lines) + "\n")


def change_of_loss(
    network: MetaNetwork, tile: TileInputs, n_anchors: int, number: int
) -> dict[str, list[float]]:
    """Change of a tile's loss by each rule, for several sets of anchors."""
    found: dict[str, list[float]] = {rule: [] for rule in RULES}
    before = tile_nll(network.weights, tile)
    for draw in range(N_DRAWS):
        anchors = tile.anchors(n_anchors, np.random.default_rng([number, n_anchors, draw]))
        if len(anchors.index) == 0:
            continue
        support = _support(tile, anchors)
        head, n_steps = network.architecture.head, network.n_inner_steps
        gain, error = held_out_gain(
            network.weights, network.rates, support, n_steps=n_steps, head=head
        )
        for rule, share in RULES.items():
            rates = _scaled(network.rates, share(float(gain), float(error)))
            adapted = adapt(network.weights, rates, support, n_steps=n_steps, head=head)
            detached = {name: tensor.detach() for name, tensor in adapted.items()}
            found[rule].append(tile_nll(detached, tile) - before)
    return found


def _support(tile: TileInputs, anchors: Anchors) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tensors of some anchors."""
    return (
        torch.from_numpy(tile.inputs[anchors.index]),
        torch.from_numpy(tile.z_true[anchors.index].astype(np.float32)),
        torch.from_numpy(anchors.weight.astype(np.float32)),
    )


def _scaled(rates: Weights, share: float) -> Weights:
    """Rates times a share; the number of anchors that halves them stays."""
    return {n: rate if n == PRIOR_ANCHORS else share * rate for n, rate in rates.items()}


if __name__ == "__main__":
    main()
