"""The announced table: all methods on the examinations of a folder.

Usage: python -m benchmarks.announced FOLDER [--only NAME …] [--seeds 0 1 2] [--keep FOLDER]
    [--sizes 1000 10000 100000 1000000] [--output FOLDER] [--title announced]

FOLDER holds pairs ``NAME_catalog.parquet`` and ``NAME_truth.parquet`` (columns id and z_true). The
methods of the field need the extra ``bench`` and are left out without it. What any method answered
stays in the folder of ``--keep`` and is not asked again. ``--sizes`` times jobs of simulated
catalogues and their memory, hbmlc beside XGBoost. Writes tables, JSON documents and both figures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.announced.figures import draw_residuals, draw_run_times
from benchmarks.announced.methods import MethodAnswers, our_answers, peer_answers, trees_answers
from benchmarks.announced.run_times import JobTime, run_times, run_times_table
from benchmarks.announced.scores import MethodScores, score_methods
from benchmarks.announced.table import announced_table
from benchmarks.examinations import ExaminationFiles, find_examinations
from hbmlc_models.arrays import FloatArray


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
        _time_jobs(arguments.sizes, arguments.output, arguments.title)


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


def _time_jobs(sizes: Sequence[int], output: Path, title: str) -> None:
    """Write table, document and figure of jobs of these sizes, again after each of them."""
    times: list[JobTime] = []
    for job in run_times(sizes):
        times.append(job)
        table = output / f"{title}-times.md"
        table.write_text(run_times_table(times))
        document = [asdict(found) for found in times]
        table.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
        draw_run_times(times, table.with_suffix(".png"))
        print(table.read_text(), flush=True)


if __name__ == "__main__":
    main()
