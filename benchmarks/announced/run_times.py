"""Seconds and memory of whole jobs of simulated catalogues, hbmlc beside XGBoost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.answers import calibrate
from benchmarks.service_memory import memory_of_service
from hbmlc_models.evaluate import boosted_trees, read_sky
from hbmlc_models.simulate import draw_world, filter_set
from hbmlc_models.simulate.writer import SurveyPlan, TileWriter, simulate_survey

__all__ = ["JobTime", "run_times", "run_times_table"]

_GALAXIES_PER_TILE = 10_000
_LARGEST_IN_MEMORY = 1_000_000
"""Catalogues that XGBoost, which wants them whole, is still asked about."""
_SEED = 0x54494D45
_HEAD = """\
Whole command with embedded service on this machine, results on disk; XGBoost from the same labels
in one process, point estimates only. Simulated LSST catalogues of five years, 10,000 galaxies a
tile. Memory is the largest resident set of any process of the service.

| galaxies | tiles | hbmlc, seconds | galaxies a second | largest process, MB | XGBoost, seconds |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTime:
    """One job of each method."""

    n_galaxies: int
    n_tiles: int
    seconds: float
    """Of the whole command of hbmlc."""
    peak_mb: float
    """Largest resident set of one of its processes [MB]."""
    trees_seconds: float | None
    """Of XGBoost; ``None`` where the catalogue is too large to be read whole."""


def run_times(sizes: Sequence[int]) -> Iterator[JobTime]:
    """Time a job of each size, every one in a fresh embedded service."""
    world = draw_world(np.random.default_rng([0, _SEED]))
    for size in sizes:
        n_tiles = max(1, size // _GALAXIES_PER_TILE)
        with TemporaryDirectory() as name:
            scratch = Path(name)
            plan = SurveyPlan(n_galaxies=size, n_tiles=n_tiles, years=5.0)
            written = simulate_survey(world, filter_set("lsst"), plan, directory=scratch, seed=1)
            with memory_of_service(scratch / "home") as peak:
                start = time.perf_counter()
                calibrate(written.catalog, scratch / "results", seed=0, options=())
                seconds = time.perf_counter() - start
            yield JobTime(
                n_galaxies=size,
                n_tiles=n_tiles,
                seconds=round(seconds, 1),
                peak_mb=round(max(peak) / 2**20),
                trees_seconds=_trees_seconds(written) if size <= _LARGEST_IN_MEMORY else None,
            )


def run_times_table(times: Sequence[JobTime]) -> str:
    """All jobs in Markdown."""
    lines = [
        f"| {job.n_galaxies:,} | {job.n_tiles:,} | {job.seconds:,} "
        f"| {job.n_galaxies / job.seconds:,.0f} | {job.peak_mb:,} | {job.trees_seconds or ''} |\n"
        for job in times
    ]
    return _HEAD + "".join(lines)


def _trees_seconds(written: TileWriter) -> float:
    """Seconds of training and answering by boosted trees."""
    sky = read_sky(written.catalog, truth=written.truth)
    start = time.perf_counter()
    boosted_trees(sky.tile, seed=0)
    return round(time.perf_counter() - start, 2)
