"""Table and figure of the adaptation benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl

from benchmarks.held_out_tiles import SCORES

mpl.use("Agg")
import matplotlib.pyplot as plt

__all__ = ["Row", "write_report"]

_STYLE = {"none": ("#999999", "--"), "ours": ("#2166ac", "-"), "fine-tuning": ("#b2182b", "-")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One method with one number of anchors."""

    n_anchors: int
    """Anchors of a tile."""
    method: str
    """``none``, ``ours`` or ``fine-tuning``."""
    to_none: dict[str, tuple[float, ...]]
    """By score: mean, and difference to no adaptation with its 95 % interval."""
    to_ours: dict[str, tuple[float, ...]]
    """The same against ours."""
    worse_tiles: float
    """Share of tiles whose likelihood is lower than without adaptation."""


def write_report(rows: Mapping[str, Sequence[Row]], folder: Path, *, n_worlds: int) -> None:
    """Write ``adaptation.md`` and ``adaptation.png``."""
    head = (
        f"Means over the tiles of {n_worlds} worlds that no version has seen, four tiles each; "
        "less is better. Intervals: 95 %, paired bootstrap over tiles, of the negative log "
        "likelihood of log(1+z)."
    )
    lines = [head, ""]
    for version, own in rows.items():
        lines += [
            f"## {version}",
            "",
            "| anchors | method | " + " | ".join(SCORES) + " | Δ nll to none | Δ nll to ours "
            "| tiles made worse |",
            "|---|---|" + "---|" * (len(SCORES) + 3),
            *(_line(row) for row in own),
            "",
        ]
    text = "\n".join(lines).rstrip() + "\n"
    (folder / "adaptation.md").write_text(text)
    _draw(rows, folder / "adaptation.png")
    print(text, flush=True)


def _line(row: Row) -> str:
    """One line of the table."""
    means = " | ".join(f"{row.to_none[score][0]:.4f}" for score in SCORES)
    return (
        f"| {row.n_anchors} | {row.method} | {means} | {_difference(row.to_none['nll'])} "
        f"| {_difference(row.to_ours['nll'])} | {row.worse_tiles:.0%} |"
    )


def _difference(compared: tuple[float, ...]) -> str:
    """Difference with its interval."""
    _, change, low, high = compared
    return f"{change:+.4f} ({low:+.4f} … {high:+.4f})" if change or low or high else "–"


def _draw(rows: Mapping[str, Sequence[Row]], path: Path) -> None:
    """Scores against the number of anchors, a row of panels for each version."""
    figure, panels = plt.subplots(
        len(rows),
        len(SCORES),
        figsize=(3.2 * len(SCORES), 2.5 * len(rows)),
        squeeze=False,
        layout="tight",
    )
    for line, (version, own) in enumerate(rows.items()):
        for column, score in enumerate(SCORES):
            panel = panels[line, column]
            for method, (colour, style) in _STYLE.items():
                points = [(r.n_anchors, r.to_none[score][0]) for r in own if r.method == method]
                panel.plot(
                    *zip(*points, strict=True), style, color=colour, label=method, marker="."
                )
            panel.set_xlabel("anchors")
            panel.set_title(f"{version}: {score.replace('_', ' ')}", fontsize=9)
    panels[0, 0].legend(fontsize=7)
    figure.savefig(path, dpi=80)
    plt.close(figure)
