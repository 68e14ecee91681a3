"""Judgements as a table in Markdown: one line an examination and method."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.figures_of_merit import FIFTH_SCORES
from benchmarks.judgement import BASELINE, Judgement
from hbmlc_models.evaluate import Interval

__all__ = ["accuracy_table"]

_HEAD = """\
Galaxies without a spec-z only. XGBoost learns from the same labels (asinh magnitudes, colours,
errors); `selection` and `network` are the two halves of hbmlc, which pools them. Ratios are those
to XGBoost, with 95 % intervals from resampled galaxies; bias is the mean error. PIT KS is
that of all galaxies and of the worst fifth of propensity. Time is that of the whole command,
embedded service included. The last column says whether hbmlc is nowhere above XGBoost: in NMAD and
outliers of all galaxies and, in brackets, in how many of the groups (by magnitude, redshift and
propensity; see the JSON document) it is. Scatter over seeds follows ±.

| examination | method | NMAD | outliers | bias | NMAD ratio | outlier ratio | CDE loss | PIT KS \
| CRPS | seconds | never worse |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""


def accuracy_table(judgements: Sequence[Judgement]) -> str:
    """Table of all examinations."""
    lines = [
        _line(judgement, method) for judgement in judgements for method in judgement.scores["all"]
    ]
    good = sum(not judgement.worse_in for judgement in judgements)
    summary = f"\nNever worse than XGBoost on {good} of {len(judgements)} examinations.\n"
    return _HEAD + "\n".join(lines) + "\n" + summary


def _line(judgement: Judgement, method: str) -> str:
    """One method on one examination."""
    cells = [judgement.name, method, *_points(judgement, method)]
    ratios = judgement.ratios.get(method, {}).get(BASELINE, {})
    cells += [_interval(ratios.get(score)) for score in ("nmad", "outlier_fraction")]
    cells += _densities(judgement) if method == "hbmlc" else [""] * 5
    return "| " + " | ".join(cells) + " |"


def _points(judgement: Judgement, method: str) -> list[str]:
    """Scatter, outliers and bias."""
    scores = judgement.scores["all"][method]
    cells: list[str] = []
    for name, form in (("nmad", ".4f"), ("outlier_fraction", ".1%"), ("bias_mean", "+.3f")):
        text = format(scores[name].mean, form)
        if len(judgement.seeds) > 1:
            text += " ± " + format(scores[name].scatter, form.removeprefix("+"))
        cells.append(text)
    return cells


def _densities(judgement: Judgement) -> list[str]:
    """Figures of merit of p(z), time and verdict."""
    density = judgement.density
    worst = max(density[key].mean for key in FIFTH_SCORES)
    return [
        f"{density['cde_loss'].mean:.2f}",
        f"{density['pit_ks'].mean:.3f} / {worst:.3f}",
        f"{density['crps'].mean:.3f}",
        f"{judgement.seconds:.0f}",
        _verdict(judgement),
    ]


def _verdict(judgement: Judgement) -> str:
    """Whether hbmlc is never worse, and where it is."""
    words = {"nmad": "NMAD", "outlier_fraction": "outliers"}
    groups = f"({len(judgement.worse_groups)} of {len(judgement.n_galaxies)})"
    worse = ", ".join(words[score] for score in judgement.worse_in)
    return f"**no**: {worse} {groups}" if worse else f"yes {groups}"


def _interval(ratio: Interval | None) -> str:
    """Ratio and where it lies."""
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]" if ratio else ""
