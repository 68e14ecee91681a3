"""The first thing a newcomer runs: a sky, its calibration by the whole service, the comparison."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SMALL = ("draws=100", "tune=100", "train_steps=60", "meta_steps=4")


def run_demo(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hbmlc", "demo", "--output", str(tmp_path / "out")]
    return subprocess.run(
        [*command, *arguments],
        env={**os.environ, "HBMLC_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_demo_calibrates_a_sky_and_leaves_no_service(tmp_path: Path) -> None:
    options = [word for option in SMALL for word in ("--option", option)]

    ended = run_demo(tmp_path, "--galaxies", "900", "--tiles", "2", *options)

    assert ended.returncode == 0, ended.stderr
    assert "XGBoost" in ended.stdout
    assert "report.html" in ended.stdout
    results = tmp_path / "out" / "results"
    assert {"photoz.parquet", "report.html"} <= {path.name for path in results.iterdir()}
    assert not (tmp_path / "home" / "run" / "service.json").exists()


def test_a_calibration_that_fails_fails_the_demo(tmp_path: Path) -> None:
    ended = run_demo(tmp_path, "--galaxies", "200", "--option", "no_such_option=1")

    assert ended.returncode != 0
    assert "no_such_option" in ended.stderr
    assert "Done" not in ended.stderr
