"""Examinations in simulated worlds that no shipped version has seen.

Usage: python -m benchmarks.worlds OUTPUT [--seed N] [--galaxies N] [--only NAME …]

OUTPUT gets pairs ``NAME_catalog.parquet`` and ``NAME_truth.parquet`` for benchmarks.accuracy.
Worlds are drawn with seeds that training recipes never use; they come from the same simulator as
the shipped versions, so they examine the handling of selections, not the realism of galaxies.
"""

from __future__ import annotations

import argparse
import zlib
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.world_plans import (
    WORLD_PLANS,
    WorldPlan,
    held_out_world,
    tile_depth,
    tile_selection,
)
from hbmlc_models.simulate import Simulator
from hbmlc_models.simulate.writer import TileWriter

__all__ = ["world_rng", "write_world"]

N_TILES = 4
"""Tiles of an examination."""
_HELD_OUT = 0x4558414D
"""Marks seeds of examinations: recipes and ``hbmlc simulate`` start theirs otherwise."""


def main() -> None:
    """Write all examinations."""
    parser = argparse.ArgumentParser(description="Write examinations in simulated worlds.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--galaxies", type=int, default=12_000)
    parser.add_argument("--only", nargs="*")
    arguments = parser.parse_args()
    for plan in WORLD_PLANS:
        if arguments.only and plan.name not in arguments.only:
            continue
        n_labelled = write_world(
            plan, arguments.output, n_galaxies=arguments.galaxies, seed=arguments.seed
        )
        print(f"{plan.name}: {arguments.galaxies:,} galaxies, {n_labelled:,} labels", flush=True)


def world_rng(plan: WorldPlan, seed: int) -> np.random.Generator:
    """Generator of an examination; it depends on its name, not on its place in the list."""
    return np.random.default_rng([seed, _HELD_OUT, zlib.crc32(plan.name.encode())])


def write_world(plan: WorldPlan, output: Path, *, n_galaxies: int, seed: int) -> int:
    """Write catalogue and truth of one examination; the number of galaxies with a label."""
    rng = world_rng(plan, seed)
    simulator = Simulator(held_out_world(plan, rng), filters=plan.filters, mag_limit=plan.mag_limit)
    output.mkdir(parents=True, exist_ok=True)
    n_labelled = 0
    with TemporaryDirectory(dir=output) as folder:
        with TileWriter(Path(folder)) as writer:
            for index in range(N_TILES):
                simulated = simulator.draw(
                    n_galaxies // N_TILES + (index < n_galaxies % N_TILES),
                    depth=tile_depth(plan, rng),
                    selection=tile_selection(plan, rng),
                    rng=rng,
                    name=str(index),
                    index=index,
                )
                n_labelled += simulated.tile.n_labelled
                if not plan.has_context:
                    simulated = replace(simulated, tile=replace(simulated.tile, extras={}))
                writer.write(simulated, rng=rng)
        writer.catalog.replace(output / f"{plan.name}_catalog.parquet")
        writer.truth.replace(output / f"{plan.name}_truth.parquet")
    return n_labelled


if __name__ == "__main__":
    main()
