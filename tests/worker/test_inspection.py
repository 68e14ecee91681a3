"""``hbmlc inspect``: what an ingest would understand, without a service."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from hbmlc.cli.app import app
from hbmlc_models.formats import ColumnMapping, ingest


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def table_of(folder: Path, names: str, *columns: np.ndarray) -> Path:
    path = folder / "galaxies.csv"
    lines = [
        names,
        *(",".join(f"{value:.6g}" for value in row) for row in zip(*columns, strict=True)),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def galaxies(tmp_path: Path) -> Path:
    """Three hundred galaxies in two bands, a third of them with a redshift."""
    rng = np.random.default_rng(1)
    n = 300
    z = np.where(np.arange(n) % 3 == 0, rng.uniform(0.1, 1.2, n), np.nan)
    return table_of(
        tmp_path,
        "id,mag_g,mag_err_g,mag_r,mag_err_r,z_spec",
        np.arange(n),
        rng.uniform(21, 25, n),
        rng.uniform(0.02, 0.2, n),
        rng.uniform(20, 24, n),
        rng.uniform(0.02, 0.2, n),
        z,
    )


def test_what_is_understood_is_shown(galaxies: Path) -> None:
    result = run("inspect", galaxies)

    assert result.exit_code == 0, result.output
    assert "galaxies.csv: csv, 300 galaxies, 100 labelled" in result.stdout
    (row,) = [line for line in result.stdout.splitlines() if line.startswith("g ")]
    assert row.split()[:3] == ["g", "mag_g", "mag_err_g"]
    assert "labels: 100 of column z_spec" in result.stdout


def test_json_has_the_names_that_the_service_gives(galaxies: Path, tmp_path: Path) -> None:
    document = json.loads(run("inspect", galaxies, "--json").stdout)

    report = ingest(galaxies, tmp_path / "canonical.parquet").as_dict()
    assert document["photometry"] == report["photometry"]
    assert document["labels"] == report["labels"]
    assert document["mapping_used"] == report["mapping"]


def test_the_mapping_that_is_written_says_the_same_again(galaxies: Path, tmp_path: Path) -> None:
    written = tmp_path / "mapping.json"

    first = run("inspect", galaxies, "--write-mapping", written, "--json")
    second = run("inspect", galaxies, "--mapping", written, "--json")

    document = json.loads(written.read_text())
    assert document["mag"] == {"g": "mag_g", "r": "mag_r"}
    assert ColumnMapping.from_dict(document).as_dict() == document
    for name in ("bands", "photometry", "labels", "mapping_used", "coverage"):
        before, after = (json.loads(result.stdout)[name] for result in (first, second))
        if name == "photometry":
            before = [{**band, "unit_from": "mapping"} for band in before]
            after = [{**band, "unit_from": "mapping"} for band in after]
        assert before == after, name


def test_a_refusal_says_why_and_what_mends_it(galaxies: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"id": "nowhere"}))

    result = run("inspect", galaxies, "--mapping", mapping)
    document = json.loads(run("inspect", galaxies, "--mapping", mapping, "--json").stdout)

    assert result.exit_code == 1
    assert "error: nowhere:" in result.stderr
    assert "[mapping-invalid]" in result.stderr
    assert document["findings"][0]["severity"] == "error"


def test_a_contradiction_in_a_mapping_is_refused(galaxies: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"mag": {"g": "mag_g", "r": "mag_g"}}))

    result = run("inspect", galaxies, "--mapping", mapping)

    assert result.exit_code == 1
    assert "mag_g" in result.stderr


def test_a_mapping_that_cannot_be_written_is_a_usage_error(galaxies: Path, tmp_path: Path) -> None:
    result = run("inspect", galaxies, "--write-mapping", tmp_path / "missing" / "mapping.json")

    assert result.exit_code == 2


def test_warnings_are_no_failure(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    flux = rng.uniform(1e2, 1e5, 200)
    source = table_of(tmp_path, "id,flux_g,flux_err_g", np.arange(200), flux, np.full(200, 30.0))

    result = run("inspect", source)

    assert result.exit_code == 0, result.output
    assert "warning:" in result.stdout


def test_a_refusal_of_bytes_names_no_column(tmp_path: Path) -> None:
    page = tmp_path / "page.csv"
    page.write_text("<!doctype html><html><body>Not found</body></html>")

    document = json.loads(run("inspect", page, "--json").stdout)

    assert document["findings"][0]["column"] is None


def test_a_mapping_may_begin_with_a_byte_order_mark(galaxies: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"id": None}), encoding="utf-8-sig")

    result = run("inspect", galaxies, "--mapping", mapping)

    assert result.exit_code == 0, result.output
