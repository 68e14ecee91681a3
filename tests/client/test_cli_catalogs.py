"""What ``hbmlc`` shows of catalogues before anything is believed of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_service import API_KEY, FakeService
from typer.testing import CliRunner, Result

from hbmlc.cli.app import app
from hbmlc.cli.estimate import estimate

CURE = {"flux_unit": "nanomaggy"}


def band(name: str, median: float, **more: Any) -> dict[str, Any]:
    return {
        "band": name,
        "column": f"flux_{name}",
        "error_column": f"flux_err_{name}",
        "unit": "nJy",
        "unit_from": "file",
        "n_observed": 12_345,
        "n_detected": 12_000,
        "mag_min": median - 4,
        "mag_p05": median - 2,
        "mag_p50": median,
        "mag_p95": median + 1,
        "mag_max": median + 1.5,
        "snr_p50": 14.25,
        **more,
    }


REPORT: dict[str, Any] = {
    "format": "fits",
    "n_rows": 20_000,
    "n_labelled": 512,
    "bands": ["g", "r", "i"],
    "coverage": {"n_tiles": 4},
    "photometry": [band("g", 23.4), band("r", 30.9, unit_from="assumed"), band("i", 22.9)],
    "labels": {
        "column": "zspec",
        "n": 512,
        "n_left_out": {"stars": 3, "repeated at the far end": 25},
        "z_min": 0.01,
        "z_p50": 0.6,
        "z_max": 1.4,
        "quality_column": "ZWARN",
    },
    "findings": [
        {
            "severity": "warning",
            "code": "unit-assumed",
            "column": "flux_r",
            "message": "As nJy the median r is 30.9; as nanomaggies 22.0.",
            "mapping": CURE,
        }
    ],
    "recommended_model": "lsst-ugrizy:1",
}


@pytest.fixture
def url(service: FakeService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setenv("HBMLC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HBMLC_API_KEY", API_KEY)
    service.report = REPORT
    with service.listening() as address:
        monkeypatch.setenv("HBMLC_URL", address)
        yield address


@pytest.fixture
def catalog(url: str, upload: Path, tmp_path: Path, service: FakeService) -> str:
    """Id of a catalogue that was read."""
    assert run("calibrate", upload, "--output", tmp_path / "out").exit_code == 0
    service.calls.clear()
    return next(iter(service.catalogs))


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{name} "))


def test_show_prints_what_was_understood(catalog: str) -> None:
    shown = run("catalogs", "show", catalog).stdout

    assert "20,000 galaxies" in shown
    assert "model lsst-ugrizy:1" in shown
    assert row(shown, "g").split()[:5] == ["g", "flux_g", "flux_err_g", "nJy", "(file)"]
    assert "labels: 512 of column zspec, z 0.010 to 1.400, median 0.600" in shown
    assert "25 repeated at the far end" in shown
    assert "chosen by ZWARN" in shown


def test_the_columns_of_the_table_stand_under_each_other(catalog: str) -> None:
    lines = run("catalogs", "show", catalog).stdout.splitlines()

    heading = next(line for line in lines if line.startswith("band"))
    ends = {
        row(line, name).index(f"{median:.2f}") + 5
        for line in ["\n".join(lines)]
        for name, median in (("g", 23.4), ("r", 30.9), ("i", 22.9))
    }
    assert ends == {heading.index("median") + len("median")}


def test_a_wrong_unit_is_marked(catalog: str) -> None:
    shown = run("catalogs", "show", catalog).stdout

    assert "too faint for galaxies" in row(shown, "r")
    assert "(assumed)" in row(shown, "r")
    assert "<-" not in row(shown, "g")


def test_magnitudes_without_a_unit_do_not_alarm(
    service: FakeService, url: str, upload: Path
) -> None:
    service.report = {
        **REPORT,
        "photometry": [band("g", 23.4, unit="mag (AB)", unit_from="assumed")],
    }

    shown = run("calibrate", upload, "--dry-run").stderr

    assert "mag (AB)" in row(shown, "g")
    assert "(assumed)" not in row(shown, "g")


def test_a_band_far_from_the_others_is_marked(service: FakeService, url: str, upload: Path) -> None:
    bands = [band("g", 23.4), band("r", 29.8), band("i", 22.9)]
    service.report = {**REPORT, "photometry": bands}

    shown = run("calibrate", upload, "--dry-run").stderr

    assert "+6.4 mag from the others" in row(shown, "r")


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_terminal_of_any_width_gets_rows_of_one_line(
    catalog: str, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", str(width))

    shown = re.sub(r"\x1b\[[0-9;]*m", "", run("catalogs", "show", catalog).stdout)

    assert {"30.90", "(assumed)"} <= set(row(shown.replace("\n ", "\n"), "r").split())
    assert "r <- too faint for galaxies: unit?" in shown


def test_a_finding_comes_with_what_mends_it_on_one_line(catalog: str) -> None:
    lines = run("catalogs", "show", catalog).stdout.splitlines()

    (place,) = [k for k, line in enumerate(lines) if line.startswith("warning: flux_r: As nJy")]
    assert json.loads(lines[place + 1].removeprefix("  mapping: ")) == CURE


def test_show_as_json_is_the_document(catalog: str) -> None:
    document = json.loads(run("catalogs", "show", catalog, "--json").stdout)

    assert document["photometry"] == REPORT["photometry"]
    assert document["findings"] == REPORT["findings"]


def test_calibrate_says_what_it_understood_before_it_starts(
    service: FakeService, url: str, upload: Path, tmp_path: Path
) -> None:
    result = run("calibrate", upload, "--output", tmp_path / "out", "--model", "mine:3")

    assert "model mine:3" in result.stderr
    assert "too faint for galaxies" in result.stderr
    assert "too faint" not in result.stdout


def test_a_dry_run_stops_with_what_it_would_take(
    service: FakeService, url: str, upload: Path
) -> None:
    result = run("calibrate", upload, "--dry-run")

    assert result.exit_code == 0, result.output
    assert "model lsst-ugrizy:1" in result.stderr
    assert "expected: about 2 minutes on 2 cores, and 1.2 GB" in result.stderr
    assert service.calibrations == {}
    assert service.catalogs == {}


def test_a_dry_run_leaves_no_refused_catalogue(
    service: FakeService, url: str, upload: Path
) -> None:
    service.catalog_states = ["REJECTED"]

    result = run("calibrate", upload, "--dry-run")

    assert result.exit_code != 0
    assert service.catalogs == {}


def test_a_unit_that_makes_a_survey_too_shallow_is_marked(
    service: FakeService, url: str, upload: Path
) -> None:
    bands = [band("g", 16.0), band("r", 15.3), band("i", 15.0)]
    service.report = {**REPORT, "photometry": [{**found, "snr_p50": 18.0} for found in bands]}

    assert "too bright" in row(run("calibrate", upload, "--dry-run").stderr, "r")


def test_a_calibration_needs_a_place_for_its_results(url: str, upload: Path) -> None:
    result = run("calibrate", upload)

    assert result.exit_code == 2
    assert "--output" in result.stderr


@pytest.mark.parametrize(
    ("n_rows", "n_tiles", "measured"),
    [(10_000, 1, 109.7), (100_000, 10, 144.8), (1_000_000, 100, 387.9), (10_000_000, 1000, 3064.1)],
)
def test_the_estimate_is_what_was_measured(n_rows: int, n_tiles: int, measured: float) -> None:
    assert estimate(n_rows, n_tiles=n_tiles).seconds == pytest.approx(measured, rel=0.08)


def test_remap_changes_one_field_and_keeps_the_others(
    service: FakeService, catalog: str, tmp_path: Path
) -> None:
    file = tmp_path / "mapping.json"
    file.write_text(json.dumps({"z_spec": "zspec", "tile": None}))
    run("catalogs", "remap", catalog, "--mapping", file)

    result = run("catalogs", "remap", catalog, "--set", "id=null", "--set", "flux_unit=uJy")

    assert result.exit_code == 0, result.output
    assert service.catalogs[catalog]["mapping"] == {
        "id": None,
        "tile": None,
        "z_spec": "zspec",
        "flux_unit": "uJy",
    }
    assert "20,000 galaxies" in result.stdout


def test_a_mapping_file_replaces_the_mapping(
    service: FakeService, catalog: str, tmp_path: Path
) -> None:
    file = tmp_path / "mapping.json"
    file.write_text(json.dumps({"zero_point": {"g": 25}, "z_quality": {"column": "q", "equal": 4}}))
    run("catalogs", "remap", catalog, "--set", "tile=field")

    run("catalogs", "remap", catalog, "--mapping", file)

    assert service.catalogs[catalog]["mapping"] == {
        "zero_point": {"g": 25.0},
        "z_quality": {"column": "q", "equal": 4},
    }


def test_a_refused_remap_says_what_mends_it(service: FakeService, catalog: str) -> None:
    service.catalogs[catalog] |= {"state": "INGESTING"}
    service.catalog_states = ["REJECTED"]
    service.report = {
        "findings": [
            {"severity": "error", "code": "no-band-recognised", "message": "m", "mapping": CURE},
            {"severity": "note", "code": "table-chosen", "message": "Table 2 was read."},
        ]
    }

    result = run("catalogs", "remap", catalog, "--set", "table=2")

    assert result.exit_code == 1
    assert f"mapping: {json.dumps(CURE)}" in result.stderr
    assert "note: Table 2 was read." in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("[1]", "no JSON object"),
        ('{"zero_point": {"g": "25"}}', "zero_point.g: Input should be a valid number"),
        ('{"flux_units": "nJy"}', "flux_units: Extra inputs are not permitted"),
        ('{"z_quality": {"column": "q"}}', "z_quality:"),
        ('{"id": []}', "id:"),
    ],
)
def test_a_bad_mapping_names_the_field(
    text: str, said: str, upload: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    file = tmp_path / "mapping.json"
    file.write_text(text)

    result = run("calibrate", upload, "--output", tmp_path / "out", "--mapping", file)

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_remap_without_a_change_is_refused(catalog: str) -> None:
    assert run("catalogs", "remap", catalog).exit_code == 2
