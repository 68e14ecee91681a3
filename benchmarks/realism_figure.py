"""The picture of a catalogue beside simulated worlds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.realism_statistics import Key, Statistics

mpl.use("Agg")
import matplotlib.pyplot as plt

__all__ = ["draw_figure"]

_COLUMNS = 3
_DATA, _WORLDS = "#b2182b", "#4393c3"


def draw_figure(data: Statistics, worlds: Sequence[Statistics], path: Path, *, name: str) -> None:
    """A panel for each colour and one for redshifts; the range is the central 68 % of galaxies."""
    whats = list(dict.fromkeys(key.what for key in data.values))
    n_rows = -(-len(whats) // _COLUMNS)
    figure, panels = plt.subplots(
        n_rows, _COLUMNS, figsize=(3.6 * _COLUMNS, 2.8 * n_rows), squeeze=False, layout="tight"
    )
    for panel, what in zip(panels.flat, whats, strict=False):
        for world in worlds:
            x, median, _ = _curve(world, what)
            panel.plot(x, median, color=_WORLDS, alpha=0.35, linewidth=1)
        x, median, half_width = _curve(data, what)
        panel.errorbar(x, median, half_width, color=_DATA, fmt="o", markersize=4, capsize=2)
        panel.set_ylabel(what)
        panel.set_xlabel("magnitude" if what == "z" else "z")
    for panel in panels.flat[len(whats) :]:
        panel.set_axis_off()
    figure.suptitle(f"{name}: catalogue (red, 68 % of galaxies) and medians of worlds (blue)")
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _curve(statistics: Statistics, what: str) -> tuple[list[float], list[float], list[float]]:
    """Bin centres, medians and half widths."""
    rows = [
        (float(np.mean(edges)), where)
        for where, edges in statistics.bins.items()
        if Key(what=what, where=where, statistic="median") in statistics.values
    ]
    rows.sort()
    values = {
        statistic: [
            statistics.values[Key(what=what, where=where, statistic=statistic)] for _, where in rows
        ]
        for statistic in ("median", "half width")
    }
    return [x for x, _ in rows], values["median"], values["half width"]
