"""The announced table: all methods on the examinations of a folder.

Usage: python -m benchmarks.announced FOLDER [--only NAME …] [--seeds 0 1 2] [--keep FOLDER]
    [--sizes 1000 10000 100000] [--output FOLDER] [--title announced]

FOLDER holds pairs ``NAME_catalog.parquet`` and ``NAME_truth.parquet`` (columns id and z_true). The
methods of the field need the extra ``bench`` and are left out without it. What any method answered
stays in the folder of ``--keep`` and is not asked again. ``--sizes`` times jobs of simulated
catalogues, hbmlc beside XGBoost. Writes table, JSON document and both figures.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.announced.figures import draw_residuals, draw_run_times
from benchmarks.announced.methods import MethodAnswers, our_answers, peer_answers, trees_answers
from benchmarks.announced.scores import MethodScores, score_methods
from benchmarks.announced.table import announced_table
from benchmarks.answers import calibrate
from benchmarks.examinations import ExaminationFiles, find_examinations
from hbmlc_models.arrays import FloatArray
from hbmlc_models.evaluate import boosted_trees, read_sky
from hbmlc_models.simulate import draw_world, filter_set
from hbmlc_models.simulate.writer import SurveyPlan, simulate_survey

_GALAXIES_PER_TILE = 2_500


def main() -> None:
    """Run the benchmark."""
    arguments = _arguments()
    arguments.output.mkdir(parents=True, exist_ok=True)
    shown: dict[str, tuple[Sequence[MethodAnswers], FloatArray]] = {}
    rows: list[MethodScores] = []
    with TemporaryDirectory() as scratch:
        kept = arguments.keep or Path(scratch)
        for files in find_examinations(arguments.folder, arguments.only):
            answers, z_true, scores = _examine(files, kept, arguments.seeds)
            shown[files.name] = (answers, z_true)
            rows += scores
            print(announced_table(scores), flush=True)
            table = arguments.output / f"{arguments.title}.md"
            table.write_text(announced_table(rows))
            document = [asdict(row) for row in rows]
            table.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
    if shown:
        draw_residuals(shown, arguments.output / f"{arguments.title}-residuals.png")
    if arguments.sizes:
        times = _run_times(arguments.sizes)
        (arguments.output / f"{arguments.title}-times.json").write_text(json.dumps(times) + "\n")
        draw_run_times(times, arguments.output / f"{arguments.title}-times.png")


def _arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="All methods on the examinations of a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--sizes", nargs="*", type=int)
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "results")
    parser.add_argument("--title", default="announced")
    return parser.parse_args()


def _examine(
    files: ExaminationFiles, kept: Path, seeds: Sequence[int]
) -> tuple[list[MethodAnswers], FloatArray, list[MethodScores]]:
    """Answers of all methods on one examination, the truth, and the scores."""
    name, sky = files.name, files.sky()
    examined = ~sky.tile.is_labelled
    z_true = sky.z_true[examined]
    answers, propensity = our_answers(name, files.catalog, sky, kept, seeds=seeds)
    answers += [trees_answers(sky, seeds=seeds), *peer_answers(name, sky, kept)]
    photometry = sky.tile.photometry.take(examined)
    return answers, z_true, score_methods(name, answers, photometry, z_true, propensity)


def _run_times(sizes: Sequence[int]) -> dict[str, dict[int, float]]:
    """Seconds of a job of each size: simulated LSST catalogues of five years."""
    times: dict[str, dict[int, float]] = {"HB-MLC, whole command": {}, "XGBoost": {}}
    world = draw_world(np.random.default_rng([0, 0x54494D45]))
    for size in sizes:
        with TemporaryDirectory() as scratch:
            plan = SurveyPlan(
                n_galaxies=size, n_tiles=max(1, size // _GALAXIES_PER_TILE), years=5.0
            )
            written = simulate_survey(
                world, filter_set("lsst"), plan, directory=Path(scratch), seed=1
            )
            start = time.perf_counter()
            calibrate(written.catalog, Path(scratch) / "results", seed=0, options=())
            times["HB-MLC, whole command"][size] = round(time.perf_counter() - start, 1)
            sky = read_sky(written.catalog, truth=written.truth)
            start = time.perf_counter()
            boosted_trees(sky.tile, seed=0)
            times["XGBoost"][size] = round(time.perf_counter() - start, 2)
        print(size, {method: seconds[size] for method, seconds in times.items()}, flush=True)
    return times


if __name__ == "__main__":
    main()
