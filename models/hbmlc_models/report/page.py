"""The report as one page of HTML: no scripts, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from hbmlc_models.report.data import ReportData
from hbmlc_models.report.figures import draw_figures

__all__ = ["write_report"]

_HEADLINE = {
    "nmad": ("σ NMAD", "1.48 × median |Δz|/(1+z)", "{:.4f}"),
    "outlier_fraction": ("Outliers", "|Δz|/(1+z) > 0.15", "{:.2%}"),
    "bias_median": ("Median bias", "Δz/(1+z)", "{:+.4f}"),
    "pit_ks": ("PIT", "Kolmogorov-Smirnov distance from uniform", "{:.3f}"),
    "cde_loss": ("CDE loss", "lower is better", "{:.2f}"),
    "crps": ("CRPS", "lower is better", "{:.4f}"),
}
"""Figure of merit to its name, its meaning and its form."""
_CAPTIONS = {
    "redshift": "Held-out labelled galaxies: photometric against spectroscopic redshift. Dotted "
    "lines bound catastrophic errors.",
    "n_of_z": "Redshift distributions: of the galaxies without a spectrum and their tomographic "
    "bins, with the band that the unknown dependence of the selection on redshift leaves, and of "
    "those that a spectroscopic survey selected.",
    "pit": "Calibration: a flat histogram means that p(z) says how sure it is. The band is the "
    "expected scatter.",
    "propensity": "Who gets a spectrum: the observed share and the model's propensity.",
    "balance": "Standardised mean differences between labelled and unlabelled galaxies, before and "
    "after weighting by the odds of selection; the band counts as balanced.",
    "tiles": "Tiles; green ones have converged.",
}
_TILE_COLUMNS = {
    "tile": "tile",
    "n_galaxies": "galaxies",
    "n_labelled": "labelled",
    "n_anchors": "anchors",
    "r_hat": "R-hat",
    "ess": "ESS",
    "n_divergences": "divergences",
    "n_tries": "tries",
    "is_converged": "converged",
    "beta_mean": "β",
    "n_effective": "effective labels",
    "smd_before_max": "max SMD",
    "smd_after_max": "weighted",
    "nz_mean": "mean z",
    "nz_mean_std": "±",
}
_MAX_TILES = 500
_GROUP_COLUMNS = ("nmad", "outlier_fraction", "bias_median")


def write_report(destination: Path, data: ReportData) -> None:
    """Write the report of one calibration to ``destination``."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["cell"] = _cell
    source = files("hbmlc_models.report").joinpath("template.html").read_text(encoding="utf-8")
    page = environment.from_string(source).render(
        data=data,
        cards=_cards(data.metrics),
        figures=draw_figures(data),
        captions=_CAPTIONS,
        tile_columns=_present(data.tiles),
        tiles=data.tiles[:_MAX_TILES],
        group_columns=_GROUP_COLUMNS,
    )
    destination.write_text(page, encoding="utf-8")


def _cards(metrics: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """Headline numbers: name, value and meaning."""
    return [
        (name, form.format(metrics[key]), meaning)
        for key, (name, meaning, form) in _HEADLINE.items()
        if key in metrics
    ]


def _present(tiles: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Columns of the tile table that are there."""
    return {key: title for key, title in _TILE_COLUMNS.items() if any(key in row for row in tiles)}


def _cell(value: object) -> str:
    """Value of a table cell."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if value != value:  # noqa: PLR0124 -- NaN alone differs from itself
            return ""
        case float():
            return f"{value:.4g}"
        case _:
            return str(value)
