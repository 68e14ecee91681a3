"""The command ``hbmlc demo``: simulate a sky, calibrate it through the service, judge the answer.

The calibration is a child process that runs ``hbmlc calibrate`` as a user would: real database,
broker, workers and HTTP. The science imports nothing of the client, not even here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["demo"]

_FILES = (
    ("report.html", "figures and diagnostics; open it in a browser"),
    ("photoz.parquet", "redshift, quantiles, propensity and flags of every galaxy"),
    ("pdfs.hdf5", "p(z) of every galaxy (qp ensemble)"),
    ("nz.hdf5", "redshift distributions with covariance (qp ensemble)"),
    ("targets.parquet", "galaxies that would teach most if they got a spectrum"),
    ("tiles.parquet", "diagnostics of every tile"),
)


def demo(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory for sky and results.")],
    galaxies: Annotated[int, typer.Option(min=100, help="Galaxies to simulate.")] = 12_000,
    tiles: Annotated[int, typer.Option(min=1, help="Sky tiles, each of its own depth.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same sky.")] = 1,
    option: Annotated[
        list[str] | None, typer.Option(help="Option of the calibration, as name=value.")
    ] = None,
) -> None:
    """Simulate a sky, calibrate it on this machine and compare with XGBoost.

    Example: hbmlc demo --output quickstart
    """
    started = time.monotonic()
    console = Console(stderr=True, highlight=False)
    sky, results = output / "sky", output / "results"
    console.print(f"[bold]1/3[/bold]  Simulating {galaxies:,} galaxies in {tiles} tiles …")
    catalog, truth = _simulate(sky, galaxies=galaxies, tiles=tiles, seed=seed)
    console.print(
        "[bold]2/3[/bold]  Calibrating: PostgreSQL, broker, API and workers start on this "
        "machine for as long as it takes …"
    )
    _calibrate(catalog, results, seed=seed, options=option or [])
    console.print("[bold]3/3[/bold]  Comparing with XGBoost on the same labels …")
    _score(results, catalog=catalog, truth=truth)
    _show_files(results)
    console.print(f"Done in {time.monotonic() - started:.0f} s.")


def _simulate(sky: Path, *, galaxies: int, tiles: int, seed: int) -> tuple[Path, Path]:
    """Write a simulated LSST-like survey; gives the paths of catalogue and truth."""
    import numpy as np

    from hbmlc_models.simulate import draw_world, filter_set
    from hbmlc_models.simulate.writer import SurveyPlan, simulate_survey

    plan = SurveyPlan(n_galaxies=galaxies, n_tiles=tiles)
    world = draw_world(np.random.default_rng([seed]))
    written = simulate_survey(world, filter_set("lsst"), plan, directory=sky, seed=seed)
    return written.catalog, written.truth


def _calibrate(catalog: Path, results: Path, *, seed: int, options: list[str]) -> None:
    """Run ``hbmlc calibrate`` on it; its progress bars show through."""
    command = [sys.executable, "-m", "hbmlc", "calibrate", str(catalog), "--output", str(results)]
    command += ["--tile-column", "tile", "--seed", str(seed)]
    for option in options:
        command += ["--option", option]
    # The paths and the service's own numbers come at the end, with a word about each.
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, env=os.environ, check=False)
    if ended.returncode:
        typer.echo("hbmlc: the calibration failed; the lines above say why.", err=True)
        raise typer.Exit(ended.returncode)


def _score(results: Path, *, catalog: Path, truth: Path) -> None:
    """Print the table of figures of merit."""
    from hbmlc_models.evaluate.command import score

    score(results, catalog=catalog, truth=truth)


def _show_files(results: Path) -> None:
    """Say where everything is."""
    for name, meaning in _FILES:
        path = results / name
        if path.exists():
            typer.echo(f"{path!s:<34} {meaning}")
