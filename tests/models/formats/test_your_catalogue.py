"""The page "Your catalogue" says what comes out: each of its examples is a file that is read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from survey_files import MEDIAN, ColumnText, n_good_labels, read_columns, write_survey_file

from hbmlc_models.formats import ColumnMapping, IngestReport, inspect_table

PAGE = Path(__file__).parents[3] / "docs" / "your-catalogue.md"
FAMILIES = {
    *("Rubin DP1", "DES", "DESI Legacy Imaging Surveys", "SDSS", "HSC", "KiDS and VIKING"),
    *("Euclid MER", "COSMOS2020", "EAZY"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One section of the page."""

    title: str
    kind: str
    columns: list[ColumnText]
    mapping: dict[str, object] | None
    expected: dict[str, Any]


def examples() -> list[Example]:
    found: list[Example] = []
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        blocks = dict(re.findall(r"^```(\w[\w ]*)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))
        for language, text in blocks.items():
            if language.startswith("columns "):
                mapping = blocks.get("json mapping")
                found.append(
                    Example(
                        title=section.splitlines()[0],
                        kind=language.removeprefix("columns "),
                        columns=read_columns(text),
                        mapping=None if mapping is None else json.loads(mapping),
                        expected=json.loads(blocks["json"]),
                    )
                )
    return found


EXAMPLES = {example.title: example for example in examples()}


@pytest.fixture(params=list(EXAMPLES))
def example(request: pytest.FixtureRequest) -> Example:
    return EXAMPLES[request.param]


@pytest.fixture
def report(example: Example, tmp_path: Path) -> IngestReport:
    source = write_survey_file(tmp_path, example.columns, example.kind)
    return inspect_table(source, mapping=ColumnMapping.from_dict(example.mapping or {}))


def test_there_is_an_example_for_each_family() -> None:
    assert set(EXAMPLES) == FAMILIES


def test_bands_are_those_that_the_page_names(example: Example, report: IngestReport) -> None:
    columns = {band.band: band.column for band in report.photometry}
    errors = {band.band: band.error_column for band in report.photometry}
    expected = example.expected

    assert list(report.bands) == expected["bands"]
    assert expected["column"].items() <= columns.items()
    assert expected.get("error_column", {}).items() <= errors.items()


def test_galaxies_are_as_bright_as_they_are(example: Example, report: IngestReport) -> None:
    for band in report.photometry:
        assert band.mag_p50 == pytest.approx(MEDIAN, abs=0.1), band.band
        assert band.snr_p50 is not None
        assert 10 < band.snr_p50 < 100, band.band
        assert band.unit_from == example.expected.get("unit_from", band.unit_from)


def test_ids_and_tiles_are_those_that_the_page_names(
    example: Example, report: IngestReport
) -> None:
    used = report.mapping.as_dict()

    assert used["id"] == example.expected["id"]
    assert used.get("tile") == example.expected.get("tile", used.get("tile"))
    assert (report.coverage.ra_min is not None) == any(
        column.holds == "declination" for column in example.columns
    )


def test_labels_are_the_good_ones(example: Example, report: IngestReport) -> None:
    assert report.labels.column == example.expected["z_spec"]
    assert report.labels.quality_column == example.expected.get("quality_column")
    if report.labels.column is not None:
        assert report.n_labelled == n_good_labels(example.columns)


def test_findings_are_those_that_the_page_names(example: Example, report: IngestReport) -> None:
    codes = {finding.code.value for finding in report.findings}

    assert set(example.expected.get("findings", [])) <= codes
    assert not codes & {"band-implausible", "band-far-off", "signal-to-noise-implausible"}
