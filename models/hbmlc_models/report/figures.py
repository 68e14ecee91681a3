"""Figures of the report as SVG text; the same data give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from hbmlc_models.arrays import FloatArray
from hbmlc_models.balance import Balance
from hbmlc_models.metrics import CATASTROPHIC_THRESHOLD
from hbmlc_models.n_of_z import NOfZ
from hbmlc_models.report.data import ReportData

__all__ = ["draw_figures"]

_INK, _FAINT = "#23303d", "#c9d2da"
_BLUE, _ORANGE, _GREEN = "#2f6f9f", "#d9822b", "#3f8f6b"
# matplotlib's own type of this argument is a list of names that it does not export.
_STYLE: Any = {
    "svg.hashsalt": "hbmlc",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
}
_SIZE = (5.2, 3.9)
_PIT_BINS = 20
_MAX_BARS = 40
_BALANCED = 0.1
"""Standardised differences below this count as balanced; Austin 2009."""


def draw_figures(data: ReportData) -> dict[str, str]:
    """SVG of each figure that the data allow, by name."""
    drawings: dict[str, Callable[[Any, ReportData], None]] = {}
    if len(data.z_spec):
        drawings |= {"redshift": _draw_redshift, "pit": _draw_pit}
    drawings |= {"n_of_z": _draw_n_of_z, "propensity": _draw_propensity}
    if data.tomography is not None:
        drawings["n_of_z"] = partial(_draw_tomography, found=data.tomography)
    if data.balance is not None:
        drawings["balance"] = partial(_draw_balance, found=data.balance)
    if data.tiles:
        has_sky = all("ra" in row for row in data.tiles)
        drawings["tiles"] = _draw_sky if has_sky else _draw_bars
    with mpl.rc_context(_STYLE):
        return {name: _render(draw, data) for name, draw in drawings.items()}


def _render(draw: Callable[[Any, ReportData], None], data: ReportData) -> str:
    """SVG element of one figure."""
    figure = Figure(figsize=_SIZE, layout="constrained")
    FigureCanvasSVG(figure)
    draw(figure.add_subplot(), data)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    # The XML declaration and document type have no place inside a page.
    return text[text.index("<svg") :]


def _draw_redshift(axes: Any, data: ReportData) -> None:
    """Photometric against spectroscopic redshift."""
    top = max(0.5, float(np.quantile(np.concatenate([data.z_phot, data.z_spec]), 0.999)) * 1.05)
    z = np.linspace(0.0, top, 50)
    bins = np.linspace(0.0, top, 121)
    counts, _, _ = np.histogram2d(data.z_spec, data.z_phot, bins=[bins, bins])
    image = np.ma.masked_equal(counts.T, 0)
    extent = (0.0, top, 0.0, top)
    shown = axes.imshow(
        image, origin="lower", extent=extent, norm="log", cmap="viridis", aspect="equal"
    )
    axes.plot(z, z, color=_INK, lw=0.8)
    for sign in (-1, 1):
        axes.plot(z, z + sign * CATASTROPHIC_THRESHOLD * (1 + z), color=_INK, lw=0.6, ls=":")
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="spectroscopic redshift")
    axes.set_ylabel("photometric redshift")
    axes.figure.colorbar(shown, ax=axes, shrink=0.85, label="galaxies")


def _draw_pit(axes: Any, data: ReportData) -> None:
    """Histogram of the probability integral transform with its expected scatter."""
    counts, edges = np.histogram(data.pit, _PIT_BINS, (0.0, 1.0))
    share = counts * _PIT_BINS / len(data.pit)
    scatter = np.sqrt(_PIT_BINS / len(data.pit))
    axes.axhspan(1 - scatter, 1 + scatter, color=_FAINT, alpha=0.5, lw=0)
    axes.axhline(1.0, color=_INK, lw=0.8)
    axes.stairs(share, edges, color=_BLUE, lw=1.6)
    axes.set(xlim=(0, 1), ylim=(0, None), xlabel="p(z) below the spectroscopic redshift")
    axes.set_ylabel("density (uniform = 1)")


def _draw_n_of_z(axes: Any, data: ReportData) -> None:
    """Redshift distributions of the selected and of all galaxies."""
    axes.fill_between(data.z_grid, data.n_of_z["all"], color=_BLUE, alpha=0.25, lw=0, label="all")
    axes.plot(data.z_grid, data.n_of_z["all"], color=_BLUE, lw=1.4)
    axes.plot(data.z_grid, data.n_of_z["selected"], color=_ORANGE, lw=1.4, label="selected")
    axes.set(xlim=(data.z_grid[0], data.z_grid[-1]), ylim=(0, None), xlabel="redshift")
    axes.set_ylabel("n(z)")
    axes.legend()


def _draw_tomography(axes: Any, data: ReportData, *, found: NOfZ) -> None:
    """n(z) of the unlabelled galaxies and its tomographic bins, each with its band of β."""
    z, density = found.cells.centres, found.density
    share = found.sums.count / max(float(found.sums.count[0]), 1.0)
    colours = [_INK, *mpl.colormaps["viridis"](np.linspace(0.1, 0.85, len(share) - 1))]
    for k, colour in enumerate(colours):
        # Bins add up to the whole, so each has the area of its share.
        low, middle, high = share[k] * density[k]
        axes.fill_between(
            z, np.minimum(low, high), np.maximum(low, high), color=colour, alpha=0.25, lw=0
        )
        axes.plot(z, middle, color=colour, lw=1.4, label="without a spectrum" if k == 0 else None)
    axes.plot(
        data.z_grid, data.n_of_z["selected"], color=_ORANGE, lw=1.2, ls="--", label="selected"
    )
    axes.set(xlim=(data.z_grid[0], data.z_grid[-1]), ylim=(0, None), xlabel="redshift")
    axes.set_ylabel("n(z)")
    axes.legend()


def _draw_balance(axes: Any, data: ReportData, *, found: Balance) -> None:
    """Standardised mean differences of brightness and colours, before and after weighting."""
    place = np.arange(len(data.features))[::-1]
    axes.axvspan(-_BALANCED, _BALANCED, color=_FAINT, alpha=0.5, lw=0)
    axes.axvline(0.0, color=_INK, lw=0.8)
    axes.plot(found.before, place, "o", ms=6, mfc="none", color=_ORANGE, label="before")
    axes.plot(found.after, place, "o", ms=6, color=_BLUE, label="after")
    names = [name.replace("mag_", "magnitude ").replace("_", " − ") for name in data.features]
    axes.set_yticks(place, names)
    axes.set(xlabel="labelled minus unlabelled, in standard deviations")
    axes.legend()


def _draw_propensity(axes: Any, data: ReportData) -> None:
    """Share of selected galaxies and mean propensity against magnitude."""
    profile = data.propensity
    held = np.isfinite(profile.fraction)
    axes.plot(profile.mag[held], profile.fraction[held], "o", ms=4, color=_ORANGE, label="observed")
    axes.plot(profile.mag[held], profile.propensity[held], color=_BLUE, lw=1.6, label="model")
    axes.set(ylim=(-0.02, 1.02), xlabel=f"magnitude {profile.band} [AB]")
    axes.set_ylabel("probability of a spectrum")
    axes.legend()


def _converged(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Colour of each tile."""
    return [_GREEN if row.get("is_converged", True) else _ORANGE for row in rows]


def _draw_sky(axes: Any, data: ReportData) -> None:
    """Tiles on the sky, by number of galaxies."""
    ra, dec, size = (_numbers(data.tiles, name) for name in ("ra", "dec", "n_galaxies"))
    # Areas across the meridian are drawn in one piece.
    ra = np.where(ra > 180, ra - 360, ra) if np.ptp(ra) > 180 else ra  # noqa: PLR2004 -- degrees
    area = 12 + 120 * size / max(1.0, float(size.max()))
    axes.scatter(ra, dec, s=area, c=_converged(data.tiles), alpha=0.75, lw=0)
    axes.invert_xaxis()
    axes.set(xlabel="right ascension [deg]", ylabel="declination [deg]")
    axes.margins(0.1)


def _draw_bars(axes: Any, data: ReportData) -> None:
    """Tiles as bars, the largest ones first, labelled galaxies in front."""
    rows = sorted(data.tiles, key=_size, reverse=True)[:_MAX_BARS]
    place = np.arange(len(rows))
    axes.bar(place, _numbers(rows, "n_galaxies"), color=_FAINT, label="galaxies")
    axes.bar(place, _numbers(rows, "n_labelled"), color=_BLUE, label="labelled")
    axes.set_xticks(place, [str(row.get("tile")) for row in rows], rotation=90, fontsize=7)
    axes.set_ylabel("galaxies")
    axes.legend()


def _size(row: Mapping[str, object]) -> float:
    """Galaxies of a tile."""
    return float(str(row.get("n_galaxies", 0)))


def _numbers(rows: Sequence[Mapping[str, object]], name: str) -> FloatArray:
    """A numeric column of the table of tiles."""
    return np.array([float(str(row.get(name, 0))) for row in rows])
