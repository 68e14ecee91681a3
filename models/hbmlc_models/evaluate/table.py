"""A comparison as a table for people."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from hbmlc_models.evaluate.comparison import Comparison, GroupComparison

__all__ = ["comparison_table"]

_METHODS = {"hbmlc": "hbmlc", "xgboost": "XGBoost"}
_COLUMNS = {
    "nmad": ("NMAD", "{:.4f}"),
    "outlier_fraction": ("outliers", "{:.1%}"),
    "bias_mean": ("bias", "{:+.4f}"),
}


def comparison_table(comparison: Comparison) -> Table:
    """Figures of merit of both methods, a row for each group of galaxies."""
    table = Table(
        title=f"{comparison.n_examined:,} galaxies without a spectroscopic redshift",
        caption=(
            f"Both learnt from the same {comparison.n_labelled:,} labels. NMAD: 1.48 median "
            "|Δz|/(1+z); outliers: above 0.15; bias: mean Δz/(1+z). Smaller is better."
        ),
        box=SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("galaxies")
    table.add_column("number", justify="right")
    for title, _ in _COLUMNS.values():
        for method in _METHODS.values():
            table.add_column(f"{title}\n{method}", justify="right")
    for group in comparison.groups:
        table.add_row(group.label, f"{group.n_galaxies:,}", *_cells(group))
    return table


def _cells(group: GroupComparison) -> list[str]:
    """Numbers of a row; the smaller of two is bold."""
    cells: list[str] = []
    for name, (_, form) in _COLUMNS.items():
        values = {method: group.scores[method][name] for method in _METHODS}
        best = min(abs(value) for value in values.values())
        for value in values.values():
            text = form.format(value)
            cells.append(f"[bold]{text}[/bold]" if abs(value) == best else text)
    return cells
