"""Accuracy through the real service, next to boosted trees on the same labels.

Usage: python -m benchmarks.accuracy FOLDER [--only NAME] [--seeds 0 1 2] [--output results]

FOLDER holds pairs ``NAME_catalog.parquet`` and ``NAME_truth.parquet`` (columns id and z_true).
Every catalogue is calibrated by the command that users call; only galaxies without a spec-z count.
The table and a JSON document go to the output folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np

from hbmlc_models import metrics
from hbmlc_models.evaluate import compare, read_examination


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One calibration of one examination."""

    name: str
    """Examination."""
    seed: int
    """Seed of the calibration."""
    seconds: float
    """Wall-clock time of the command, embedded service included where it has to start."""
    n_examined: int
    """Galaxies without a label."""
    groups: dict[str, dict[str, dict[str, float]]]
    """Group of galaxies to method to figure of merit."""
    density: dict[str, float]
    """Figures of merit of p(z), all examined galaxies."""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--option", nargs="*", default=[], metavar="NAME=VALUE")
    arguments = parser.parse_args()
    catalogs = sorted(arguments.folder.glob("*_catalog.parquet"))
    runs: list[Run] = []
    for catalog in catalogs:
        name = catalog.name.removesuffix("_catalog.parquet")
        if arguments.only and name not in arguments.only:
            continue
        truth = catalog.with_name(f"{name}_truth.parquet")
        for seed in arguments.seeds:
            runs.append(_run(name, catalog, truth, seed=seed, options=arguments.option))
            print(_row(runs[-1], "all"), flush=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "accuracy.json").write_text(
        json.dumps([asdict(run) for run in runs], indent=1) + "\n"
    )
    (arguments.output / "accuracy.md").write_text(_table(runs))


def _run(name: str, catalog: Path, truth: Path, *, seed: int, options: list[str]) -> Run:
    """Calibrate one catalogue and score it."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hbmlc", "calibrate", str(catalog)]
        command += ["--output", folder, "--seed", str(seed)]
        for option in options:
            command += ["--option", option]
        start = time.perf_counter()
        subprocess.run(command, check=True)
        seconds = time.perf_counter() - start
        examination = read_examination(Path(folder), catalog=catalog, truth=truth)
        comparison = compare(examination, seed=seed)
        with h5py.File(Path(folder) / "pdfs.hdf5") as file:
            z_grid = np.ravel(file["meta/xvals"][()])
            pdf = file["data/yvals"][()].astype(float)
    examined = ~examination.tile.is_labelled
    order = np.argsort(examination.tile.row)
    z_true = examination.z_true[order][examined[order]]
    density = pdf[np.sort(examination.tile.row)][examined[order]]
    return Run(
        name=name,
        seed=seed,
        seconds=round(seconds, 1),
        n_examined=comparison.n_examined,
        groups={group.label: _plain(group.scores) for group in comparison.groups},
        density={
            "cde_loss": metrics.cde_loss(density, z_grid, z_true),
            "pit_ks": metrics.pit_ks(metrics.pit(density, z_grid, z_true)),
            "crps": metrics.crps(density, z_grid, z_true),
        },
    )


def _plain(scores: object) -> dict[str, dict[str, float]]:
    """Scores as plain dictionaries."""
    return json.loads(json.dumps(scores, default=dict))


def _row(run: Run, group: str) -> str:
    """Line of the table."""
    ours, trees = run.groups[group]["hbmlc"], run.groups[group]["xgboost"]
    cells = [run.name, str(run.seed), group]
    for name, form in (("nmad", ".4f"), ("outlier_fraction", ".2%"), ("bias_mean", "+.3f")):
        cells += [format(trees[name], form), format(ours[name], form)]
    scores = [run.density[name] for name in ("cde_loss", "pit_ks", "crps")]
    cells += [f"{score:.3f}" if group == "all" else "" for score in scores]
    cells.append(f"{run.seconds:.0f}" if group == "all" else "")
    return "| " + " | ".join(cells) + " |"


def _table(runs: list[Run]) -> str:
    """Markdown table of all runs."""
    head = (
        "Galaxies without a spec-z only. XGBoost learns from the same labels (asinh magnitudes,\n"
        "colours, errors). Time is that of the whole command on 2 cores, embedded service "
        "included.\n"
        "\n"
        "| examination | seed | galaxies | NMAD XGBoost | NMAD hbmlc | outliers XGBoost "
        "| outliers hbmlc | bias XGBoost | bias hbmlc | CDE loss | PIT KS | CRPS | seconds |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    lines = [_row(run, group) for run in runs for group in run.groups]
    return head + "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
