"""The command, over real HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_service import API_KEY, FakeService, problem
from typer.testing import CliRunner, Result

from hbmlc.cli.app import app


@pytest.fixture
def url(service: FakeService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setenv("HBMLC_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HBMLC_URL", raising=False)
    monkeypatch.setenv("HBMLC_API_KEY", API_KEY)
    with service.listening() as address:
        yield address


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_calibrate_brings_the_results(
    service: FakeService, url: str, upload: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    result = run(
        *("calibrate", upload, "--output", out, "--server", url, "--seed", 5),
        *("--tile-column", "patch", "--preset", "seed", "--option", "n_anchors=7"),
    )

    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(out / name) for name in service.results]
    assert (out / "photoz.parquet").read_bytes() == service.results["photoz.parquet"]
    announced = json.loads(service.calls[0].body)
    assert announced["mapping"]["tile"] == "patch"
    (job,) = service.calibrations.values()
    assert (job["seed"], job["options"]) == (5, {"preset": "seed", "n_anchors": 7})


def test_json_is_the_only_thing_on_stdout(url: str, upload: Path, tmp_path: Path) -> None:
    result = run("calibrate", upload, "--output", tmp_path / "out", "--server", url, "--json")

    document = json.loads(result.stdout)
    assert document["calibration"]["phase"] == "COMPLETED"
    assert set(document["results"]) == {"photoz.parquet", "metrics.json"}


def test_a_service_that_runs_here_is_used(
    url: str, upload: Path, tmp_path: Path, service: FakeService
) -> None:
    announcement = tmp_path / "home" / "run" / "service.json"
    announcement.parent.mkdir(parents=True)
    announcement.write_text(json.dumps({"url": url, "api_key": API_KEY, "pid": os.getpid()}))

    result = run("calibrate", upload, "--output", tmp_path / "out")

    assert result.exit_code == 0, result.output
    assert len(service.calibrations) == 1


def test_lists_are_plain_columns_in_a_pipe(url: str, upload: Path, tmp_path: Path) -> None:
    run("calibrate", upload, "--output", tmp_path / "out", "--server", url)

    catalogs = run("catalogs", "list", "--server", url)
    calibrations = run("calibrations", "list", "--server", url, "--json")
    models = run("models", "list", "--server", url)

    assert catalogs.stdout.split("\t")[1:3] == ["READY", "galaxies.csv"]
    assert json.loads(calibrations.stdout)[0]["phase"] == "COMPLETED"
    assert models.stdout.startswith("lsst-ugrizy\t1\tugrizy\tproduction")


@pytest.mark.parametrize(("status", "code"), [(422, 1), (401, 4), (403, 4), (404, 1), (500, 1)])
def test_refusals_have_exit_codes_and_a_sentence(
    url: str, service: FakeService, status: int, code: int
) -> None:
    service.interruptions = [problem(status, "some-code", "Mend the request.")]

    result = run("models", "list", "--server", url)

    assert result.exit_code == code
    assert result.stdout == ""
    assert "Mend the request." in result.stderr
    assert "req-1" in result.stderr


def test_nobody_there_is_exit_code_three(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HBMLC_HOME", str(tmp_path))
    monkeypatch.delenv("HBMLC_URL", raising=False)

    assert run("models", "list").exit_code == 3


def test_late_is_exit_code_five(
    url: str, service: FakeService, upload: Path, tmp_path: Path
) -> None:
    service.phases = ["EXECUTING"]

    result = run(
        *("calibrate", upload, "--output", tmp_path / "o", "--server", url, "--timeout", 1)
    )

    assert result.exit_code == 5
    assert "wait on" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--option", "n_anchors"),
        ("--option", "n_anchors=999"),
        ("--option", "nonsense=1"),
        ("--preset", "best"),
    ],
)
def test_wrong_options_are_usage_errors(words: tuple[str, ...], upload: Path) -> None:
    result = run("calibrate", upload, "--output", "o", *words)

    assert result.exit_code == 2


def test_help_shows_plugins_without_importing_them() -> None:
    code = (
        "import sys; from hbmlc.cli.app import app\n"
        "from typer.testing import CliRunner\n"
        "result = CliRunner().invoke(app, ['--help']); assert 'serve' in result.output\n"
        "heavy = {'httpx', 'numpy', 'sqlalchemy', 'torch', 'pymc', 'celery', 'fastapi'}\n"
        "ours = {'hbmlc_models', 'hbmlc_store', 'hbmlc_service', 'hbmlc_worker'}\n"
        "assert not (heavy | ours) & set(sys.modules), (heavy | ours) & set(sys.modules)\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_plugin_parses_its_own_arguments() -> None:
    result = run("simulate", "--galaxies", "many")

    assert result.exit_code == 2
    assert "--galaxies" in result.output


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hbmlc", "--version"], check=True, capture_output=True, text=True
    )

    assert done.stdout.strip()
