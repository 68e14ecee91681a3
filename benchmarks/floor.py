"""What biased labels cost: the same method shown fair labels, and shown most of the truth.

Usage: python -m benchmarks.floor FOLDER [--only NAME …] [--seeds 0] [--keep FOLDER]
    [--output FOLDER]

FOLDER holds pairs ``NAME_catalog.parquet`` and ``NAME_truth.parquet`` (columns id, z_true). Each
examination is calibrated from its own labels, from as many drawn at random among the galaxies
without one, and from four fifths of the truth: the information floor of this method. Judged are
the galaxies of the last fifth, the same ones each time. ``--keep`` may be the folder of
``benchmarks.announced``, whose calibrations are not repeated.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq

from benchmarks.answers import answer, calibrate, result_folder
from benchmarks.examinations import ExaminationFiles, find_examinations, mask_of, relabelled
from benchmarks.figures_of_merit import FORMS, density_scores, point_scores
from hbmlc_models.arrays import BoolArray, IntArray
from hbmlc_models.evaluate import Sky

__all__ = ["LabelSets", "draw_label_sets", "floor_table"]

OWN, FAIR, MOST = "its own", "as many, drawn fairly", "and four fifths of the truth"
_FOLDERS = {OWN: "HB-MLC", FAIR: "fair-labels", MOST: "most-of-the-truth"}
_HEAD = """\
Galaxies without a spec-z that no calibration was shown, {n_seeds} seed(s). The first line of each
examination is what users get, the last the information floor of the method.

| examination | method | labels | NMAD | outliers | bias | CDE loss | PIT KS | CRPS |
|---|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSets:
    """Who has a label in each case; all ``(n_galaxies,)``."""

    is_labelled: Mapping[str, BoolArray]
    """Case to the galaxies with a label."""
    is_judged: BoolArray
    """Galaxies that have none in any case."""


def draw_label_sets(is_labelled: BoolArray, *, seed: int) -> LabelSets:
    """Labels of all cases from those of the examination, ``(n_galaxies,)``."""
    rng = np.random.default_rng([seed, 0x464C])
    others = rng.permutation(np.flatnonzero(~is_labelled))
    shown, judged = np.split(others, [4 * len(others) // 5])
    sets = {
        OWN: is_labelled,
        FAIR: mask_of(shown[: is_labelled.sum()], len(is_labelled)),
        MOST: is_labelled | mask_of(shown, len(is_labelled)),
    }
    return LabelSets(is_labelled=sets, is_judged=mask_of(judged, len(is_labelled)))


def floor_table(rows: list[dict[str, str | float]], *, n_seeds: int) -> str:
    """All rows in Markdown."""
    lines = [
        " | ".join(
            [
                *(str(row[key]) for key in ("examination", "method", "labels")),
                *(format(row[key], form) if key in row else "" for key, form in FORMS.items()),
            ]
        )
        for row in rows
    ]
    return _HEAD.format(n_seeds=n_seeds) + "".join(f"| {line} |\n" for line in lines)


def main() -> None:
    """Run the benchmark."""
    arguments = _arguments()
    rows: list[dict[str, str | float]] = []
    with TemporaryDirectory() as scratch:
        kept = arguments.keep or Path(scratch)
        for files in find_examinations(arguments.folder, arguments.only):
            found = [_examine(files, kept, seed) for seed in arguments.seeds]
            rows += _means(files.name, found)
            arguments.output.mkdir(parents=True, exist_ok=True)
            table = arguments.output / "floor.md"
            table.write_text(floor_table(rows, n_seeds=len(arguments.seeds)))
            table.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
            print(table.read_text(), flush=True)


def _arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="The same method with fair and with most labels.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


def _examine(
    files: ExaminationFiles, kept: Path, seed: int
) -> dict[tuple[str, str], dict[str, float]]:
    """Method and case to figures of merit, of one seed."""
    sky = files.sky()
    sets = draw_label_sets(sky.tile.is_labelled, seed=seed)
    judged = sky.tile.row[sets.is_judged]
    table = pq.read_table(files.catalog)
    scores: dict[tuple[str, str], dict[str, float]] = {}
    with TemporaryDirectory() as scratch:
        for case, is_labelled in sets.is_labelled.items():
            shown = files
            if case != OWN:
                path = Path(scratch) / f"{_FOLDERS[case]}.parquet"
                row, z_spec = sky.tile.row[is_labelled], sky.z_true[is_labelled]
                pq.write_table(relabelled(table, row, z_spec), path)
                shown = replace(files, catalog=path)
            folder = result_folder(kept / _FOLDERS[case], files.name, seed)
            calibrate(shown.catalog, folder, seed=seed, options=())
            scores |= _scores(folder, shown.sky(), judged, case, seed)
    return scores


def _scores(
    folder: Path, sky: Sky, judged: IntArray, case: str, seed: int
) -> dict[tuple[str, str], dict[str, float]]:
    """Figures of merit of hbmlc and XGBoost for the galaxies at rows ``judged`` of the upload."""
    found = answer(folder, sky, seed=seed)
    examined = ~sky.tile.is_labelled
    chosen = np.isin(sky.tile.row[examined], judged)
    z_true = sky.z_true[examined][chosen]
    scores: dict[tuple[str, str], dict[str, float]] = {}
    for method, label in (("hbmlc", "HB-MLC"), ("xgboost", "XGBoost")):
        scores[label, case] = point_scores(found.z_phot[method][chosen], z_true)
    scores["HB-MLC", case] |= density_scores(found.pdf[chosen], found.z_grid, z_true)
    return scores


def _means(
    name: str, found: list[dict[tuple[str, str], dict[str, float]]]
) -> list[dict[str, str | float]]:
    """Rows of one examination, means over seeds, methods apart."""
    rows: list[dict[str, str | float]] = []
    for method, case in sorted(found[0], key=lambda pair: pair[0]):
        mean = {
            key: float(np.mean([run[method, case][key] for run in found]))
            for key in found[0][method, case]
        }
        rows.append({"examination": name, "method": method, "labels": case, **mean})
    return rows


if __name__ == "__main__":
    main()
