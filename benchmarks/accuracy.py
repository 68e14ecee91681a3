"""Accuracy through the real service, next to boosted trees on the same labels.

Usage: python -m benchmarks.accuracy FOLDER [--only NAME …] [--seeds 0 1 2] [--option NAME=VALUE …]
    [--output FOLDER] [--title accuracy] [--keep FOLDER] [--rival FOLDER]

FOLDER holds pairs ``NAME_catalog.parquet`` and ``NAME_truth.parquet`` (columns id and z_true).
Every catalogue is calibrated by the command that users call; only galaxies without a spec-z count.
The table and a JSON document go to the output folder, under the title. Results stay in the folder
of ``--keep`` and are not made again; ``--rival`` names one that was kept with other options, to be
compared galaxy by galaxy.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.accuracy_table import accuracy_table
from benchmarks.answers import Answer, answer, calibrate, result_folder
from benchmarks.examinations import ExaminationFiles, find_examinations
from benchmarks.judgement import Judgement, judge


def main() -> None:
    """Run the benchmark."""
    arguments = _arguments()
    with TemporaryDirectory() as scratch:
        kept = arguments.keep or Path(scratch)
        judgements: list[Judgement] = []
        for files in find_examinations(arguments.folder, arguments.only):
            judgements.append(_examine(files, kept, arguments))
            lines = accuracy_table(judgements[-1:]).splitlines()
            print(
                *[line for line in lines if line.startswith(f"| {files.name}")],
                sep="\n",
                flush=True,
            )
            _write(judgements, arguments.output, arguments.title)


def _arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="Accuracy through the real service.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--title", default="accuracy")
    parser.add_argument("--option", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--rival", type=Path)
    return parser.parse_args()


def _examine(files: ExaminationFiles, kept: Path, arguments: argparse.Namespace) -> Judgement:
    """Calibrate one catalogue with each seed and judge the answers."""
    sky = files.sky()
    answers: dict[int, Answer] = {}
    for seed in arguments.seeds:
        folder = result_folder(kept, files.name, seed)
        calibrate(files.catalog, folder, seed=seed, options=arguments.option)
        rival = result_folder(arguments.rival, files.name, seed) if arguments.rival else None
        answers[seed] = answer(folder, sky, seed=seed, rival=rival)
    return judge(files.name, sky, answers)


def _write(judgements: Sequence[Judgement], output: Path, title: str) -> None:
    """Write table and document; again after each examination, for it may be the last."""
    output.mkdir(parents=True, exist_ok=True)
    document = [
        {**asdict(judgement), "never_worse": not judgement.worse_in} for judgement in judgements
    ]
    (output / f"{title}.json").write_text(json.dumps(document, indent=1) + "\n")
    (output / f"{title}.md").write_text(accuracy_table(judgements))


if __name__ == "__main__":
    main()
