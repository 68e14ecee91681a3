"""The two figures of the announcement: residuals, and run time against the number of galaxies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.announced.methods import MethodAnswers
from benchmarks.announced.run_times import JobTime
from hbmlc_models import metrics
from hbmlc_models.arrays import FloatArray

__all__ = ["draw_residuals", "draw_run_times"]

mpl.use("Agg")
_SHOWN = ("HB-MLC", "BHCM alone", "MAML without BHCM", "XGBoost", "FlexZBoost", "BPZ")
_EDGES = np.linspace(-0.2, 0.2, 121)


def draw_residuals(
    examinations: Mapping[str, tuple[Sequence[MethodAnswers], FloatArray]], path: Path
) -> None:
    """Distribution of the scaled error of each method, a panel an examination."""
    figure = Figure(figsize=(4.2 * len(examinations), 3.6), layout="constrained")
    panels = figure.subplots(1, len(examinations), squeeze=False)[0]
    centres = 0.5 * (_EDGES[1:] + _EDGES[:-1])
    for panel, (name, (answers, z_true)) in zip(panels, examinations.items(), strict=True):
        for found in answers:
            if found.method in _SHOWN:
                error = metrics.scaled_delta_z(found.z_phot[0], z_true)
                share = np.histogram(error, _EDGES)[0] / len(error) / np.diff(_EDGES)
                panel.plot(centres, share, drawstyle="steps-mid", label=found.method, lw=1.2)
        panel.set(title=name, xlabel="Δz / (1 + z)", yscale="log", ylim=(0.05, None))
    panels[0].set_ylabel("share of galaxies per unit")
    panels[-1].legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=110)


def draw_run_times(times: Sequence[JobTime], path: Path) -> None:
    """Seconds of a job against its number of galaxies, a line a method."""
    figure = Figure(figsize=(5, 3.6), layout="constrained")
    panel = figure.subplots()
    sizes = [job.n_galaxies for job in times]
    panel.plot(sizes, [job.seconds for job in times], marker="o", label="HB-MLC, whole command")
    trees = [(job.n_galaxies, job.trees_seconds) for job in times if job.trees_seconds]
    panel.plot(*zip(*trees, strict=True), marker="o", label="XGBoost, in memory")
    panel.set(xscale="log", yscale="log", xlabel="galaxies", ylabel="seconds")
    panel.legend(frameon=False)
    figure.savefig(path, dpi=110)
