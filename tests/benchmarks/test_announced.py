"""The announced table compares methods on the same galaxies and hides nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.announced.figures import draw_residuals, draw_run_times
from benchmarks.announced.methods import MethodAnswers
from benchmarks.announced.run_times import JobTime, run_times_table
from benchmarks.announced.scores import FAINT_AND_FAR, MethodScores, score_methods
from benchmarks.announced.table import announced_table
from benchmarks.service_memory import memory_of_service
from galaxies import make_photometry, random_mags

N = 600
Z_GRID = np.linspace(0, 3, 301)
RNG = np.random.default_rng(3)
Z_TRUE = RNG.uniform(0.1, 2.5, N)
PHOTOMETRY = make_photometry(random_mags(RNG, N))

TIMES = [
    JobTime(n_galaxies=1_000, n_tiles=1, seconds=50.0, peak_mb=900, trees_seconds=0.5),
    JobTime(n_galaxies=10**7, n_tiles=1_000, seconds=2_500.0, peak_mb=1_200, trees_seconds=None),
]


def method(name: str, scatter: float, *, with_pdf: bool = False) -> MethodAnswers:
    z_phot = Z_TRUE + scatter * (1 + Z_TRUE) * RNG.standard_normal((2, N))
    width = scatter * (1 + Z_TRUE[:, None])
    pdf = [
        np.exp(-0.5 * ((Z_GRID - z[:, None]) / width) ** 2) / (width * np.sqrt(2 * np.pi))
        for z in z_phot
    ]
    return MethodAnswers(
        method=name,
        z_phot=z_phot,
        pdf=pdf if with_pdf else (),
        z_grid=Z_GRID,
        milliseconds=1.5,
    )


@pytest.fixture(scope="module")
def answers() -> list[MethodAnswers]:
    return [method("HB-MLC", 0.02, with_pdf=True), method("XGBoost", 0.05)]


@pytest.fixture(scope="module")
def scores(answers: list[MethodAnswers]) -> list[MethodScores]:
    return score_methods("sky", answers, PHOTOMETRY, Z_TRUE, RNG.random(N))


def test_scatter_of_a_method_is_what_it_was_given(scores: list[MethodScores]) -> None:
    # NMAD is 1.48 times the median absolute error: the standard deviation of a normal law.
    assert scores[0].groups["all"]["nmad"] == pytest.approx(0.02, rel=0.1)
    assert scores[1].groups["all"]["nmad"] == pytest.approx(0.05, rel=0.1)


def test_ratio_is_ours_over_theirs_and_its_interval_holds_the_truth(
    scores: list[MethodScores],
) -> None:
    ratio = scores[1].ratios["nmad"]

    assert ratio.low < 0.4 < ratio.high
    assert scores[0].ratios == {}


def test_faint_and_far_is_the_fainter_half_beyond_redshift_one(
    scores: list[MethodScores],
) -> None:
    assert set(scores[0].groups[FAINT_AND_FAR]) == {"nmad", "outlier_fraction", "bias_mean"}


def test_worst_fifth_is_worse_than_all_and_finds_what_only_it_gets_wrong(
    answers: list[MethodAnswers],
) -> None:
    propensity = np.where(np.arange(N) < N // 5, 0.0, RNG.uniform(0.5, 1, N))
    pdf = answers[0].pdf[0].copy()
    # The least likely fifth is told that everything is near.
    pdf[: N // 5] = pdf[: N // 5, ::-1].cumsum(axis=1)[:, ::-1]
    wrong = replace(answers[0], pdf=(pdf,))

    density = score_methods("sky", [wrong], PHOTOMETRY, Z_TRUE, propensity)[0].density

    assert density["pit_ks_worst_fifth"] > 2 * density["pit_ks"]


def test_methods_without_densities_have_no_figure_of_them(scores: list[MethodScores]) -> None:
    assert scores[0].density["cde_loss"] < 0
    assert scores[1].density == {}


def test_table_has_a_line_for_every_method(scores: list[MethodScores]) -> None:
    lines = announced_table(scores).splitlines()

    assert sum(line.startswith("| sky") for line in lines) == 2
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_figures_are_pictures(answers: list[MethodAnswers], tmp_path: Path) -> None:
    draw_residuals({"sky": (answers, Z_TRUE)}, tmp_path / "residuals.png")
    draw_run_times(TIMES, tmp_path / "times.png")

    for name in ("residuals.png", "times.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_rate_and_memory_of_every_job_are_in_the_table() -> None:
    small, large = run_times_table(TIMES).splitlines()[-2:]

    assert small == "| 1,000 | 1 | 50.0 | 20 | 900 | 0.5 |"
    assert large == "| 10,000,000 | 1,000 | 2,500.0 | 4,000 | 1,200 |  |"


def test_memory_is_that_of_processes_of_the_same_home(tmp_path: Path) -> None:
    held = "held = bytearray(b'x') * 100_000_000; print('ready', flush=True); input()"
    with memory_of_service(tmp_path) as peak:
        process = subprocess.Popen(
            [sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
    process.communicate(b"\n")

    assert 100_000_000 <= max(peak) < 300_000_000
    assert "HBMLC_HOME" not in os.environ or os.environ["HBMLC_HOME"] != str(tmp_path)
