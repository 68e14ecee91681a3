"""What a GPU is worth: the network's share of a calibration on each device of this machine.

Usage: python -m benchmarks.device [--tiles N …] [--galaxies N] [--output FOLDER]

Tiles are drawn from the shipped population. Both devices do the same work in one run, and what they
answer is compared; without a GPU there is one column.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit

from hbmlc_models.arrays import FloatArray
from hbmlc_models.base_models import list_versions, load_version
from hbmlc_models.metalearning.features import network_inputs
from hbmlc_models.metalearning.infer import adapted_outputs, outputs_density, run_network
from hbmlc_models.metalearning.network import Head
from hbmlc_models.metalearning.tasks import Task
from hbmlc_models.metalearning.train import MetaNetwork, Recipe, train_network
from hbmlc_models.selection.context import CONTEXT
from hbmlc_models.selection.shipped_population import draw_galaxies
from hbmlc_models.training.simulated_tasks import SimulatedTasks, TileInputs

__all__ = ["answer_tiles", "draw_tiles"]

RESULTS = Path(__file__).parent / "results"
MODEL = "lsst-ugrizy"
Z_GRID = np.linspace(0.0, 3.0, 301)
N_ANCHORS = 50
TILE = 2_000
"""Galaxies in a tile that is adapted to."""
NOISE = 0.3
"""Flux errors in units of the typical noise: fainter galaxies are hardly seen."""
LABEL_MAG, LABEL_SCALE = 23.5, 0.5
"""Half of the galaxies of this luptitude have a label, and how sharply that falls [mag]."""
N_STEPS = 20
"""Training steps that are timed."""
TASKS = (8, 64)
"""Tasks in one outer step."""


def main() -> None:
    """Time both devices and write table and document."""
    parser = argparse.ArgumentParser(description="What a GPU is worth.")
    parser.add_argument("--tiles", type=int, nargs="*", default=[1, 8, 64])
    parser.add_argument("--galaxies", type=int, default=1_000_000)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    tiles, network = draw_tiles(max(arguments.tiles))
    many = np.concatenate([tile.inputs for tile in tiles])
    many = many[np.arange(arguments.galaxies) % len(many)]
    columns: dict[str, dict[str, float]] = {}
    answers: list[FloatArray] = []
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    for device in devices:
        rows: dict[str, float] = {}
        for n in arguments.tiles:
            seconds = _best(lambda n=n, on=device: answer_tiles(network, tiles[:n], on))
            rows[f"adaptation of {n} tiles and their outputs [ms]"] = 1e3 * seconds
        seconds = _best(lambda on=device: run_network(network.weights, many, device=on))
        rows["outputs of a galaxy [µs]"] = 1e6 * seconds / len(many)
        rows |= _training(network, tiles, device)
        columns[_name(device)] = rows
        answers.append(answer_tiles(network, tiles[:8], device))
    differences = [np.abs(_density(found) - _density(answers[0])).max() for found in answers[1:]]
    _write(columns, [float(worst) for worst in differences], arguments.output, len(many))


def draw_tiles(n_tiles: int) -> tuple[list[TileInputs], MetaNetwork]:
    """Tiles of the shipped population, noise included, and the network that was shipped with it."""
    version = load_version(MODEL, dict(list_versions())[MODEL])
    if version.network is None or version.frame is None or version.population is None:
        raise ValueError(f"{MODEL} has no network")
    rng, frame = np.random.default_rng(1), version.frame
    tiles: list[TileInputs] = []
    for _ in range(n_tiles):
        photometry, z_true = draw_galaxies(version.population, TILE, frame, rng)
        flux_err = np.broadcast_to(NOISE * frame.softening, photometry.flux.shape)
        flux = photometry.flux + flux_err * rng.standard_normal(photometry.flux.shape)
        photometry = replace(photometry, flux=flux, flux_err=flux_err, is_detected=flux > flux_err)
        propensity = expit((LABEL_MAG - frame.reference_mag(photometry)) / LABEL_SCALE)
        context = np.zeros((TILE, len(CONTEXT), photometry.n_bands))
        tiles.append(
            TileInputs(
                inputs=network_inputs(photometry, frame, context),
                z_true=z_true,
                labelled=np.flatnonzero(rng.random(TILE) < propensity),
                propensity=propensity,
            )
        )
    return tiles, version.network


def answer_tiles(network: MetaNetwork, tiles: list[TileInputs], device: str) -> FloatArray:
    """Outputs of all galaxies of tiles that were adapted to side by side, as a worker does it."""
    support: list[Task] = []
    for number, tile in enumerate(tiles):
        chosen = tile.anchors(N_ANCHORS, np.random.default_rng(number))
        index = chosen.index
        support.append(
            Task(inputs=tile.inputs[index], z_spec=tile.z_true[index], weight=chosen.weight)
        )
    outputs = adapted_outputs(
        network,
        [tile.inputs for tile in tiles],
        support,
        n_support=N_ANCHORS,
        n_steps=network.n_inner_steps,
        device=device,
    )
    return np.concatenate(outputs)


def _density(outputs: FloatArray) -> FloatArray:
    """p(z) of outputs."""
    return outputs_density(outputs, Z_GRID, head=Head.MIXTURE)


def _training(network: MetaNetwork, tiles: list[TileInputs], device: str) -> dict[str, float]:
    """Milliseconds of a training step."""
    source = SimulatedTasks(tiles)
    recipes = {"supervised step": Recipe(supervised_steps=N_STEPS, meta_steps=0)}
    for n in TASKS:
        recipes[f"outer step of {n} tasks"] = Recipe(
            supervised_steps=0, meta_steps=N_STEPS, tasks_per_step=n
        )
    return {
        f"{name} [ms]": 1e3
        / N_STEPS
        * _best(lambda recipe=recipe: train_network(network, source, recipe, seed=1, device=device))
        for name, recipe in recipes.items()
    }


def _best(work: Callable[[], object], *, repeats: int = 4) -> float:
    """Least seconds of several turns; the first one warms up."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return float(best)


def _name(device: str) -> str:
    """Device as the table calls it."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"CPU, {torch.get_num_threads()} threads"


def _write(
    columns: dict[str, dict[str, float]], differences: list[float], output: Path, n_galaxies: int
) -> None:
    """Table and document."""
    names = list(columns)
    setting = (
        f"Best of four turns; tiles of {TILE:,} galaxies with {N_ANCHORS} anchors, and "
        f"{n_galaxies:,} galaxies of six bands; load average at the end {os.getloadavg()[0]:.1f} "
        f"on {os.cpu_count()} cores; torch {torch.__version__}."
    )
    table = [["work", *names], ["---"] * (1 + len(names))]
    table += [[row, *(f"{columns[name][row]:.2f}" for name in names)] for row in columns[names[0]]]
    lines = [setting, "", *(f"| {' | '.join(cells)} |" for cells in table)]
    for name, worst in zip(names[1:], differences, strict=True):
        lines += [
            "",
            f"{name}: p(z) of a node differs from that of the CPU by {worst:.1e} at most.",
        ]
    document = {"columns": columns, "p_of_z_differs_by": differences}
    output.mkdir(parents=True, exist_ok=True)
    (output / "device.md").write_text("\n".join(lines) + "\n")
    (output / "device.json").write_text(json.dumps(document, indent=1) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
