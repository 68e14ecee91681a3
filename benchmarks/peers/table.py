"""Trials of peers as a table in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.figures_of_merit import FORMS

__all__ = ["peer_table"]

_HEAD = """\
Galaxies without a spec-z only; every peer learns from the labelled galaxies, with the settings it
comes with. kNN, GPz, FlexZBoost, CMNN and BPZ run through RAIL, on magnitudes; trees see asinh
magnitudes, colours and errors. One thread; answers include p(z) on 301 nodes where there is one.

| examination | peer | NMAD | outliers | bias | CDE loss | PIT KS | CRPS | µs a galaxy | training |
|---|---|---|---|---|---|---|---|---|---|
"""


def peer_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Table of all trials."""
    return _HEAD + "".join(_line(row) for row in rows)


def _line(row: Mapping[str, Any]) -> str:
    """One peer on one examination."""
    scores = row["scores"]
    cells = [row["name"], row["peer"]]
    cells += [format(scores[k], form) if k in scores else "" for k, form in FORMS.items()]
    cells += [f"{row['microseconds']:.0f}", f"{row['training_seconds']:.1f} s"]
    return "| " + " | ".join(cells) + " |\n"
