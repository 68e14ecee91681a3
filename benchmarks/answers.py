"""What a calibration answered for the galaxies of an examination.

Every catalogue is calibrated by the command that users call. Folders of results can be kept: a
second look at the same answers, or a comparison with other options, then costs no calibration.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow.parquet as pq

from hbmlc_models.arrays import FloatArray
from hbmlc_models.evaluate import Sky, boosted_trees

__all__ = ["Answer", "answer", "calibrate", "result_folder"]

_PARTS = {"hbmlc": "z_phot", "selection": "z_selection", "network": "z_network"}
"""Method to column of the result table."""
_TIMING = "seconds.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One calibration, for the galaxies without a label; arrays are ``(n_examined,)``."""

    seconds: float
    """Wall-clock time of the command, embedded service included where it has to start."""
    z_phot: Mapping[str, FloatArray]
    """Method to redshifts."""
    pdf: FloatArray
    """p(z) of hbmlc, ``(n_examined, n_grid)``."""
    z_grid: FloatArray
    """Its nodes, ``(n_grid,)``."""
    p_selected: FloatArray
    """Propensity."""


def result_folder(root: Path, name: str, seed: int) -> Path:
    """Where the results of one calibration are kept."""
    return root / f"{name}-{seed}"


def calibrate(catalog: Path, folder: Path, *, seed: int, options: Sequence[str]) -> None:
    """Fill ``folder`` by the command, unless it has been filled before."""
    if (folder / _TIMING).exists():
        return
    command = [sys.executable, "-m", "hbmlc", "calibrate", str(catalog)]
    command += ["--output", str(folder), "--seed", str(seed)]
    for option in options:
        command += ["--option", option]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (folder / _TIMING).write_text(json.dumps(round(time.perf_counter() - start, 1)))


def answer(folder: Path, sky: Sky, *, seed: int, rival: Path | None = None) -> Answer:
    """Read a result, beside boosted trees and, where given, another result for the same sky."""
    examined = ~sky.tile.is_labelled
    # Tables and densities are in the order of the upload.
    rows = sky.tile.row[examined]
    table = pq.read_table(folder / "photoz.parquet", columns=[*_PARTS.values(), "p_selected"])
    columns = {name: table[name].to_numpy().astype(float)[rows] for name in table.column_names}
    methods = {"xgboost": boosted_trees(sky.tile, seed=seed)[examined]}
    for method, column in _PARTS.items():
        # A part that did not answer, or answered alone, is no method of its own.
        z = columns[column]
        is_new = method == "hbmlc" or not np.allclose(z, methods["hbmlc"], equal_nan=True)
        if is_new and np.isfinite(z).all():
            methods[method] = z
    if rival is not None:
        other = pq.read_table(rival / "photoz.parquet", columns=["z_phot"])["z_phot"]
        methods["rival"] = other.to_numpy().astype(float)[rows]
    z_grid, pdf = _densities(folder / "pdfs.hdf5")
    return Answer(
        seconds=json.loads((folder / _TIMING).read_text()),
        z_phot=methods,
        pdf=pdf[rows],
        z_grid=z_grid,
        p_selected=columns["p_selected"],
    )


def _densities(path: Path) -> tuple[FloatArray, FloatArray]:
    """Nodes of the grid and p(z) of all galaxies, in the order of the upload."""
    with h5py.File(path) as file:
        z_grid: Any = file["meta/xvals"]
        pdf: Any = file["data/yvals"]
        return np.ravel(z_grid[()]), pdf[()].astype(float)
