"""What each part of meta-training is worth, on worlds that were never seen.

Usage: python -m benchmarks.meta_training [--recipe lsst-ugrizy] [--worlds N] [--steps N]

All variants start from the same supervised network, so that they differ in the outer loop alone.
Every one is judged with anchors chosen as at deployment.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.held_out_tiles import SCORES, TileScores, held_out_tiles, paired, score_tile
from hbmlc_models.metalearning.features import CHANNELS
from hbmlc_models.metalearning.infer import run_network
from hbmlc_models.metalearning.maml import PRIOR_ANCHORS
from hbmlc_models.metalearning.network import Architecture
from hbmlc_models.metalearning.train import MetaNetwork, Recipe, new_network, train_network
from hbmlc_models.training import read_recipe
from hbmlc_models.training.simulated_tasks import SimulatedTasks, TileInputs, prepare_tiles
from hbmlc_models.training.version import adapt_to_tile, simulate_tiles

__all__ = ["VARIANTS", "Variant", "train_variant"]

RESULTS = Path(__file__).parent / "results"
ANCHORS = (0, 10, 50)
N_TEST_WORLDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to run the outer loop."""

    name: str
    """Name in the table."""
    stratified: bool = True
    """Whether supports are drawn as at deployment, not at random."""
    has_prior: bool = True
    """Whether the rates shrink where anchors are few."""
    rate_lr: float = 5e-2
    """Learning rate of the inner rates."""
    multi_step_until: float = 0.0
    """Share of the loop with the multi-step loss."""
    n_inner_steps: int = 2
    """Inner steps."""


VARIANTS = (
    Variant(name="before: random supports", stratified=False, has_prior=False, rate_lr=1e-2),
    Variant(name="stratified supports", has_prior=False, rate_lr=1e-2),
    Variant(name="and rates learnt faster", has_prior=False),
    Variant(name="and shrinkage"),
    Variant(name="and multi-step loss", multi_step_until=0.5),
    Variant(name="shrinkage, three steps", n_inner_steps=3),
)
"""All variants; each is compared with the first."""


def main() -> None:
    """Train and judge all variants, and write the table."""
    parser = argparse.ArgumentParser(description="Ablation of meta-training.")
    parser.add_argument("--recipe", default="lsst-ugrizy")
    parser.add_argument("--worlds", type=int, default=24)
    parser.add_argument("--supervised", type=int, default=3000)
    parser.add_argument("--steps", type=int, default=400)
    arguments = parser.parse_args()
    recipe = read_recipe(arguments.recipe)
    frame, tiles = prepare_tiles(simulate_tiles(recipe, range(arguments.worlds)))
    test = held_out_tiles(recipe, frame, n_worlds=N_TEST_WORLDS)[1]
    start = new_network(
        Architecture(n_channels=CHANNELS, n_bands=len(frame.bands)), seed=1, n_inner_steps=2
    )
    warm = Recipe(supervised_steps=arguments.supervised, meta_steps=0)
    start = train_network(start, SimulatedTasks(tiles), warm, seed=1)
    scores: dict[str, dict[int, list[TileScores]]] = {}
    for variant in VARIANTS:
        network = train_variant(start, tiles, variant, n_steps=arguments.steps)
        scores[variant.name] = {k: _judge(network, test, k) for k in ANCHORS}
        rates = {name: round(float(rate), 4) for name, rate in network.rates.items()}
        print(variant.name, rates, flush=True)
        _write(scores)


def train_variant(
    start: MetaNetwork, tiles: list[TileInputs], variant: Variant, *, n_steps: int
) -> MetaNetwork:
    """Network after an outer loop of ``n_steps`` from a supervised start."""
    rates = dict(start.rates)
    if not variant.has_prior:
        del rates[PRIOR_ANCHORS]
    if not variant.stratified:
        # Where all are as likely to be selected, anchors are drawn at random and weigh alike.
        tiles = [replace(tile, propensity=np.full(len(tile.z_true), 0.5)) for tile in tiles]
    recipe = Recipe(
        supervised_steps=0,
        meta_steps=n_steps,
        rate_lr=variant.rate_lr,
        multi_step_until=variant.multi_step_until,
        n_inner_steps=variant.n_inner_steps,
    )
    return train_network(replace(start, rates=rates), SimulatedTasks(tiles), recipe, seed=2)


def _judge(network: MetaNetwork, tiles: list[TileInputs], n_anchors: int) -> list[TileScores]:
    """Scores of every tile after adaptation."""
    found: list[TileScores] = []
    for number, tile in enumerate(tiles):
        rng = np.random.default_rng([number, n_anchors])
        weights = adapt_to_tile(network, tile, n_anchors, rng) if n_anchors else network.weights
        found.append(score_tile(run_network(weights, tile.inputs), tile.z_true))
    return found


def _write(scores: dict[str, dict[int, list[TileScores]]]) -> None:
    """Table and document."""
    first = next(iter(scores.values()))
    lines = ["| outer loop | anchors | " + " | ".join(SCORES) + " | Δ nll to the first |"]
    lines.append("|---|---|" + "---|" * (len(SCORES) + 1))
    document: dict[str, dict[str, dict[str, tuple[float, ...]]]] = {}
    for name, by_anchors in scores.items():
        document[name] = {}
        for k, own in by_anchors.items():
            compared = paired(own, first[k])
            document[name][str(k)] = compared
            means = " | ".join(f"{compared[score][0]:.4f}" for score in SCORES)
            _, change, low, high = compared["nll"]
            lines.append(f"| {name} | {k} | {means} | {change:+.4f} ({low:+.4f} … {high:+.4f}) |")
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "meta-training.md").write_text("\n".join(lines) + "\n")
    (RESULTS / "meta-training.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
