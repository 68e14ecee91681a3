"""The announced table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.announced.scores import FAINT_AND_FAR, MethodScores
from hbmlc_models.evaluate import Interval

__all__ = ["announced_table"]

_HEAD = """\
Galaxies without a spec-z only; all methods learn from the same labels. Bias is the mean
error, not scaled. Time is that of the whole job over the galaxies of the catalogue: for hbmlc the
command with service, training and result files, for the others learning and answering in one
process. Scatter over seeds follows ±. PIT KS is the distance of the PIT from uniform, of all and of
the propensity fifth where it is greatest. The ratios are HB-MLC over the method, with 95 %
intervals from resampled galaxies: below one HB-MLC is better. The last two columns are the fainter
half of the galaxies with z > 1.

| examination | method | NMAD | outliers | bias | ms a galaxy | CDE loss | PIT KS | … worst fifth \
| CRPS | NMAD ratio | outlier ratio | NMAD, faint z > 1 | outliers, faint z > 1 |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""
_DENSITY = {"cde_loss": ".2f", "pit_ks": ".3f", "pit_ks_worst_fifth": ".3f", "crps": ".3f"}


def announced_table(rows: Sequence[MethodScores]) -> str:
    """One line for each method on each examination."""
    return _HEAD + "".join(_line(row) for row in rows)


def _line(row: MethodScores) -> str:
    whole, faint = row.groups["all"], row.groups[FAINT_AND_FAR]
    cells = [row.examination, row.method]
    for key, form in (("nmad", ".4f"), ("outlier_fraction", ".1%"), ("bias_mean", "+.3f")):
        spread = f" ± {format(row.scatter[key], form.removeprefix('+'))}" if row.n_runs > 1 else ""
        cells.append(format(whole[key], form) + spread)
    cells.append(f"{row.milliseconds:.2f}")
    cells += [format(row.density[k], form) if row.density else "" for k, form in _DENSITY.items()]
    cells += [_interval(row.ratios.get(key)) for key in ("nmad", "outlier_fraction")]
    for key, form in (("nmad", ".3f"), ("outlier_fraction", ".1%")):
        cells.append(format(faint[key], form) if faint else "")
    return "| " + " | ".join(cells) + " |\n"


def _interval(ratio: Interval | None) -> str:
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]" if ratio else ""
