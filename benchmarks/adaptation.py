"""Whether a few anchors help: no adaptation, ours, and plain fine-tuning, on held-out worlds.

Usage: python -m benchmarks.adaptation CACHE [--only NAME …] [--worlds N]

Tiles are of worlds that no shipped version has seen; anchors are chosen as at deployment. CACHE
keeps the conventionally trained networks, which take minutes each.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.adaptation_report import Row, write_report
from benchmarks.fine_tuning import Tuning, best_tunings, conventional_network, fine_tuned
from benchmarks.held_out_tiles import TileScores, held_out_tiles, paired, score_tile
from hbmlc_models.base_models import ModelVersion, list_versions, load_version
from hbmlc_models.metalearning.infer import run_network
from hbmlc_models.metalearning.network import Weights
from hbmlc_models.metalearning.train import MetaNetwork
from hbmlc_models.training import TrainingRecipe
from hbmlc_models.training.simulated_tasks import TileInputs, prepare_tiles
from hbmlc_models.training.version import adapt_to_tile, simulate_tiles

__all__ = ["judge_version"]

RESULTS = Path(__file__).parent / "results"
ANCHORS = (0, 5, 10, 25, 50)
N_WORLDS = 10
N_TUNING_TILES = 16
"""Validation tiles on which fine-tuning is chosen."""


def main() -> None:
    """Judge the shipped versions and write table, document and figure."""
    parser = argparse.ArgumentParser(description="Does adaptation help?")
    parser.add_argument("cache", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--worlds", type=int, default=N_WORLDS)
    arguments = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    document: dict[str, Any] = {}
    rows: dict[str, list[Row]] = {}
    for name, number in list_versions()[1:]:
        if arguments.only and name not in arguments.only:
            continue
        label = f"{name}:{number}"
        version = load_version(name, number)
        rows[label], tunings = judge_version(
            version, n_worlds=arguments.worlds, cache=arguments.cache
        )
        document[label] = {
            "fine_tuning": {str(k): asdict(tuning) for k, tuning in tunings.items()},
            "rows": [asdict(row) for row in rows[label]],
        }
        (RESULTS / "adaptation.json").write_text(json.dumps(document, indent=1) + "\n")
        write_report(rows, RESULTS, n_worlds=arguments.worlds)


def judge_version(
    version: ModelVersion, *, n_worlds: int, cache: Path
) -> tuple[list[Row], dict[int, Tuning]]:
    """Rows of the table for one version, and how its opponent was tuned."""
    network, recipe = version.network, TrainingRecipe(**version.card["recipe"])
    if network is None:
        raise ValueError(f"{version.name} has no network")
    first, last = recipe.n_worlds, recipe.n_worlds + recipe.n_validation_worlds

    def tiles_of(worlds: range) -> list[TileInputs]:
        return prepare_tiles(simulate_tiles(recipe, worlds), frame=version.frame)[1]

    plain = conventional_network(
        recipe, lambda: tiles_of(range(first)), n_bands=len(version.bands), cache=cache
    )
    validation = tiles_of(range(first, last))[:N_TUNING_TILES]
    tunings = best_tunings(plain.weights, validation, ANCHORS[1:])
    test = held_out_tiles(recipe, version.frame, n_worlds=n_worlds)[1]
    unadapted = _scores(network.weights, test)
    rows: list[Row] = []
    for k in ANCHORS:
        ours, tuned = unadapted, _scores(plain.weights, test)
        if k:
            ours = [_adapted(network, tile, k, n) for n, tile in enumerate(test)]
            tuned = [_tuned(plain, tile, k, n, tunings[k]) for n, tile in enumerate(test)]
        for method, scores in (("none", unadapted), ("ours", ours), ("fine-tuning", tuned)):
            row = Row(
                n_anchors=k,
                method=method,
                to_none=paired(scores, unadapted),
                to_ours=paired(scores, ours),
                worse_tiles=float(np.mean([s.nll > u.nll for s, u in _pairs(scores, unadapted)])),
            )
            rows.append(row)
    return rows, tunings


def _pairs(one: list[TileScores], other: list[TileScores]) -> list[tuple[TileScores, TileScores]]:
    """Scores tile by tile."""
    return list(zip(one, other, strict=True))


def _scores(weights: Weights, tiles: list[TileInputs]) -> list[TileScores]:
    """Scores of one set of weights on all tiles."""
    return [score_tile(run_network(weights, tile.inputs), tile.z_true) for tile in tiles]


def _adapted(network: MetaNetwork, tile: TileInputs, k: int, number: int) -> TileScores:
    """Scores after our adaptation."""
    weights = adapt_to_tile(network, tile, k, np.random.default_rng([number, k]))
    return score_tile(run_network(weights, tile.inputs), tile.z_true)


def _tuned(plain: MetaNetwork, tile: TileInputs, k: int, number: int, tuning: Tuning) -> TileScores:
    """Scores after fine-tuning on the same anchors."""
    anchors = tile.anchors(k, np.random.default_rng([number, k]))
    weights = fine_tuned(plain.weights, tile, anchors, tuning)
    return score_tile(run_network(weights, tile.inputs), tile.z_true)


if __name__ == "__main__":
    main()
