"""How long the network takes for a galaxy, p(z) included, and how long it took written plainly.

Usage: python -m benchmarks.inference [--galaxies N] [--repeats N] [--threads N]

Both are timed by turns in one run, and the best of the repeats counts: others may be at work.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import torch

from hbmlc_models.arrays import FloatArray
from hbmlc_models.base_models import list_versions, load_version
from hbmlc_models.metalearning.features import network_inputs
from hbmlc_models.metalearning.infer import outputs_density, run_network
from hbmlc_models.metalearning.network import Head, Weights, forward, mixture_density
from hbmlc_models.selection.context import CONTEXT
from hbmlc_models.simulate import Selection, Simulator, fiducial_world, lsst_depth

__all__ = ["plain_density", "plain_outputs"]

RESULTS = Path(__file__).parent / "results"
MODEL = "lsst-ugrizy"
Z_GRID = np.linspace(0.0, 3.0, 301)
PLAIN_CHUNK = 8192


def main() -> None:
    """Time features, network and density, and write the table."""
    parser = argparse.ArgumentParser(description="Microseconds of the network for a galaxy.")
    parser.add_argument("--galaxies", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    numba.set_num_threads(min(arguments.threads, numba.get_num_threads()))
    version = load_version(MODEL, dict(list_versions())[MODEL])
    if version.network is None or version.frame is None:
        raise ValueError(f"{MODEL} has no network")
    weights, frame, n = version.network.weights, version.frame, arguments.galaxies
    tile = (
        Simulator(fiducial_world())
        .draw(
            n,
            depth=lsst_depth(5.0),
            selection=Selection(surveys=()),
            rng=np.random.default_rng(1),
        )
        .tile
    )
    context = np.zeros((n, len(CONTEXT), tile.photometry.n_bands))
    inputs = network_inputs(tile.photometry, frame, context)
    outputs = run_network(weights, inputs)
    stages: dict[str, Callable[[], object]] = {
        "features": lambda: network_inputs(tile.photometry, frame, context),
        "network": lambda: run_network(weights, inputs),
        "p(z) on 301 nodes": lambda: outputs_density(outputs, Z_GRID, head=Head.MIXTURE),
        "network, plain": lambda: plain_outputs(weights, inputs),
        "p(z), plain": lambda: plain_density(outputs),
    }
    best = dict.fromkeys(stages, np.inf)
    for _ in range(arguments.repeats):
        for name, stage in stages.items():
            start = time.perf_counter()
            stage()
            best[name] = min(best[name], (time.perf_counter() - start) / n * 1e6)
    _write(best, n_galaxies=n, n_threads=arguments.threads)


def plain_outputs(weights: Weights, inputs: FloatArray) -> FloatArray:
    """Outputs by the differentiable forward pass, in large chunks."""
    with torch.inference_mode():
        parts = [
            forward(weights, torch.from_numpy(inputs[start : start + PLAIN_CHUNK])).numpy()
            for start in range(0, len(inputs), PLAIN_CHUNK)
        ]
    return np.concatenate(parts)


def plain_density(outputs: FloatArray) -> FloatArray:
    """p(z) by tensor operations, in large chunks."""
    nodes = torch.from_numpy(Z_GRID.astype(np.float32))
    with torch.inference_mode():
        parts = [
            mixture_density(torch.from_numpy(outputs[start : start + PLAIN_CHUNK]), nodes)
            .numpy()
            .astype(np.float64)
            for start in range(0, len(outputs), PLAIN_CHUNK)
        ]
    return np.concatenate(parts)


def _write(best: dict[str, float], *, n_galaxies: int, n_threads: int) -> None:
    """Table and document."""
    ours = best["network"] + best["p(z) on 301 nodes"]
    plain = best["network, plain"] + best["p(z), plain"]
    load = os.getloadavg()[0]
    setting = (
        f"{n_galaxies:,} galaxies of six bands, {n_threads} threads, best of several turns; load "
        f"average at the end {load:.1f} on {os.cpu_count()} cores."
    )
    summary = (
        f"Network and p(z): {ours:.1f} µs a galaxy, {plain / ours:.1f} times as fast as written "
        f"plainly ({plain:.1f} µs)."
    )
    lines = [setting, "", "| stage | microseconds a galaxy |", "|---|---|"]
    lines += [f"| {name} | {value:.2f} |" for name, value in best.items()]
    lines += ["", summary]
    document = {
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "load": load,
        "threads": n_threads,
        "galaxies": n_galaxies,
        "microseconds": best,
        "ratio": plain / ours,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "inference.md").write_text("\n".join(lines) + "\n")
    (RESULTS / "inference.json").write_text(json.dumps(document, indent=1) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
