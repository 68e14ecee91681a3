"""What was understood of a catalogue, as a table: a wrong unit or column is seen at a glance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from hbmlc.schemas import BandReport, CatalogReport, Finding, LabelReport

__all__ = ["print_findings", "print_report"]

_PLAUSIBLE_MEDIAN = (14.0, 30.0)
"""Median magnitudes of galaxy surveys, from SDSS' main sample (r 17) to the deepest fields (28)."""
_SHALLOW_MEDIAN, _SHALLOW_RATIO = 17.5, 50.0
"""Brighter than this with a lower signal-to-noise than this no optical survey is."""
_FAR_OFF = 4.0
"""Magnitudes between a band and the others that ask for a look; red galaxies differ by 3 in u-r."""
_HEADINGS = (
    *("band", "column", "error", "unit", "observed", "detected"),
    *("min", "5 %", "median", "95 %", "max", "S/N", ""),
)
_N_TEXT_COLUMNS = 4
_DISPENSABLE = ("detected", "min", "max", "error", "5 %", "95 %", "observed")
"""Columns that a narrow terminal does without, the least telling first."""
_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def print_report(
    report: CatalogReport, *, title: str, model: str | None = None, is_error: bool = False
) -> None:
    """Print what was understood; on stdout, or stderr where that is no data.

    A terminal gets a table with colours, a pipe aligned text without.
    """
    page = _Page(is_error=is_error)
    page.say(_headline(report, title, model))
    if report.photometry:
        page.table([_row(band, report.photometry) for band in report.photometry])
    if report.labels is not None:
        page.say(_labels_line(report.labels))
    _say_findings(page, report.findings)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print findings alone, on stderr."""
    _say_findings(_Page(is_error=True), findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """One cell, and how it is coloured."""

    text: str
    style: str = ""


class _Page:
    """Where the report goes: a terminal with colours, or plain lines."""

    def __init__(self, *, is_error: bool) -> None:
        from rich.console import Console

        self._is_error = is_error
        self._console: Console = Console(stderr=is_error, highlight=False)

    def say(self, line: str, style: str = "") -> None:
        """Print a line as it is."""
        if self._console.is_terminal:
            self._console.print(line, style=style, markup=False, soft_wrap=True)
        else:
            typer.echo(line, err=self._is_error)

    def table(self, rows: Sequence[Sequence[_Cell]]) -> None:
        """Print a table with the headings of photometry."""
        if not self._console.is_terminal:
            for line in _aligned([[cell.text for cell in row] for row in rows]):
                typer.echo(line, err=self._is_error)
            return
        self._console.print(_rich_table(rows, width=self._console.width))
        for row in rows:
            if (doubt := row[-1].text) != "":
                self.say(f"{row[0].text} {doubt}", "bold red")


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines whose columns stand under each other."""
    texts = [_HEADINGS, *rows]
    widths = [max(len(line[column]) for line in texts) for column in range(len(_HEADINGS))]
    return [
        "  ".join(
            text.ljust(width) if _is_text(column) else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in texts
    ]


def _is_text(column: int) -> bool:
    return column < _N_TEXT_COLUMNS or column == len(_HEADINGS) - 1


def _rich_table(rows: Sequence[Sequence[_Cell]], *, width: int) -> object:
    """Table of what fits into ``width``; what is odd about a band stands below."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    kept = _fitting([[cell.text for cell in row] for row in rows], width=width)
    table = Table(box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for column in kept:
        justify = "left" if _is_text(column) else "right"
        table.add_column(_HEADINGS[column], justify=justify, no_wrap=not _is_text(column))
    for row in rows:
        table.add_row(*(Text(row[column].text, style=row[column].style) for column in kept))
    return table


def _fitting(rows: Sequence[Sequence[str]], *, width: int) -> list[int]:
    """Columns that fit into ``width``; the least telling ones go first."""
    kept = list(range(len(_HEADINGS) - 1))
    needed = [
        max(len(text) for text in column) + 2 for column in zip(_HEADINGS, *rows, strict=True)
    ]
    for name in _DISPENSABLE:
        if sum(needed[column] for column in kept) <= width:
            break
        kept.remove(_HEADINGS.index(name))
    return kept


def _headline(report: CatalogReport, title: str, model: str | None) -> str:
    parts = [] if report.format is None else [report.format]
    if report.n_rows is not None:
        parts.append(f"{report.n_rows:,} galaxies")
    if report.n_labelled is not None:
        parts.append(f"{report.n_labelled:,} labelled")
    if report.coverage is not None:
        parts.append(f"{report.coverage.n_tiles:,} tiles")
    if model is not None:
        parts.append(f"model {model}")
    return f"{title}: {', '.join(parts)}" if parts else title


def _row(band: BandReport, bands: Sequence[BandReport]) -> list[_Cell]:
    doubt = _doubt(band, bands)
    is_assumed = band.unit_from.value == "assumed"
    # That magnitudes are AB is said nowhere, mostly: it would only alarm.
    is_told = not (is_assumed and band.unit.startswith("mag"))
    magnitudes = (band.mag_min, band.mag_p05, band.mag_p50, band.mag_p95, band.mag_max)
    return [
        _Cell(text=band.band),
        _Cell(text=band.column),
        _Cell(text=band.error_column),
        _Cell(
            text=f"{band.unit} ({band.unit_from.value})" if is_told else band.unit,
            style="bold yellow" if is_assumed and is_told else "",
        ),
        _Cell(text=f"{band.n_observed:,}"),
        _Cell(text=f"{band.n_detected:,}"),
        *(_Cell(text=_number(mag, 2), style="bold red" if doubt else "") for mag in magnitudes),
        _Cell(text=_number(band.snr_p50, 1)),
        _Cell(text=doubt, style="bold red"),
    ]


def _doubt(band: BandReport, bands: Sequence[BandReport]) -> str:
    """What is odd about the magnitudes of a band; nothing where they look like galaxies."""
    if band.mag_p50 is None:
        return "<- nothing detected"
    low, high = _PLAUSIBLE_MEDIAN
    is_shallow = band.mag_p50 < _SHALLOW_MEDIAN and (band.snr_p50 or 0.0) < _SHALLOW_RATIO
    if band.mag_p50 < low or is_shallow:
        return "<- too bright for galaxies: unit?"
    if band.mag_p50 > high:
        return "<- too faint for galaxies: unit?"
    medians = [other.mag_p50 for other in bands if other.mag_p50 is not None]
    # Of two bands neither is the rule: each is as far from the other.
    usual = median(medians) if len(medians) > 2 else sum(medians) - band.mag_p50  # noqa: PLR2004
    offset = band.mag_p50 - usual if len(medians) > 1 else 0.0
    if abs(offset) > _FAR_OFF:
        return f"<- {offset:+.1f} mag from the others: unit?"
    return ""


def _number(value: float | None, n_digits: int) -> str:
    return "-" if value is None else f"{value:.{n_digits}f}"


def _labels_line(labels: LabelReport) -> str:
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in labels.n_left_out.items())
    ending = f"; left out: {left_out}" if left_out else ""
    if labels.column is None:
        return f"labels: none{ending}"
    found = f"labels: {labels.n:,} of column {labels.column}"
    if labels.z_p50 is not None:
        low, middle, high = (_number(z, 3) for z in (labels.z_min, labels.z_p50, labels.z_max))
        found += f", z {low} to {high}, median {middle}"
    if labels.quality_column is not None:
        found += f", chosen by {labels.quality_column}"
    return found + ending


def _say_findings(page: _Page, findings: Sequence[Finding]) -> None:
    for finding in findings:
        severity = finding.severity.value
        place = f" {finding.column}:" if finding.column else ""
        line = f"{severity}:{place} {finding.message} [{finding.code}]"
        page.say(line, _STYLES[severity])
        if finding.mapping is not None:
            page.say(f"  mapping: {json.dumps(finding.mapping, ensure_ascii=False)}")
