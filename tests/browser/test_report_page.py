"""The report as people see it: opened in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.image
import pytest
from reports import collect

from hbmlc_models.report import write_report

pytestmark = pytest.mark.browser


@pytest.fixture
def report(tmp_path: Path) -> Path:
    page = tmp_path / "report.html"
    write_report(page, collect())
    return page


def test_the_report_opens_without_a_complaint(visit: Callable[[Path], Any], report: Path) -> None:
    seen = visit(report)

    assert seen.console == []
    assert "Sky &amp; co" in seen.dom


def test_a_page_that_complains_is_noticed(visit: Callable[[Path], Any], tmp_path: Path) -> None:
    page = tmp_path / "broken.html"
    page.write_text("<script>console.error('broken')</script>")

    assert any("broken" in line for line in visit(page).console)


def test_the_headline_shows_every_figure_of_merit(
    visit: Callable[[Path], Any], report: Path
) -> None:
    dom = visit(report).dom

    cards = re.findall(r'<div class="card"><span>(.+?)</span><b>(.+?)</b>', dom)

    assert {"σ NMAD", "Outliers", "Median bias", "PIT"} <= {name for name, _ in cards}
    assert all(re.search(r"\d", value) for _, value in cards)


def test_all_figures_are_drawn(visit: Callable[[Path], Any], report: Path) -> None:
    dom = visit(report).dom

    figures = re.findall(r'<figure id="(\w+)">\s*<svg', dom)

    assert figures == ["redshift", "pit", "n_of_z", "propensity", "balance", "tiles"]


def test_nothing_is_wider_than_a_phone(
    browse: Callable[..., tuple[str, str]], report: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "phone.png"

    browse(report, "--window-size=500,900", f"--screenshot={picture}")

    pixels = matplotlib.image.imread(picture)
    # The right margin of the page is paper: nothing hangs over.
    assert pixels.shape[1] == 500
    assert pixels[:, -8:, :3].std() < 0.02
