"""The command ``hbmlc simulate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

__all__ = ["simulate"]


def simulate(
    *,
    output: Annotated[Path, typer.Option(help="Directory for catalog.parquet and truth.parquet.")],
    galaxies: Annotated[int, typer.Option(min=2, help="Number of galaxies.")] = 20_000,
    tiles: Annotated[int, typer.Option(min=1, help="Number of sky tiles.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Seed; the same one gives the same sky.")] = 1,
    filters: Annotated[str, typer.Option(help="Filter set, such as lsst, sdss or decam.")] = "lsst",
    years: Annotated[
        float | None, typer.Option(min=0.1, max=20, help="Years of LSST; drawn by tile if unset.")
    ] = None,
    mag_limit: Annotated[float, typer.Option(help="Faintest magnitude in the sample.")] = 25.3,
    as_json: Annotated[bool, typer.Option("--json", help="Print the paths as JSON.")] = False,
) -> None:
    """Simulate a galaxy survey with a spectroscopic selection.

    Example: hbmlc simulate --galaxies 20000 --tiles 8 --output sky --seed 1
    """
    # The science is heavy to import: only when the command runs, so that --help stays fast.
    import numpy as np

    from hbmlc_models.simulate.filters import UnknownFilterSetError, filter_set
    from hbmlc_models.simulate.world import draw_world
    from hbmlc_models.simulate.writer import SurveyPlan, simulate_survey

    try:
        chosen = filter_set(filters)
    except UnknownFilterSetError as error:
        raise typer.BadParameter(str(error.args[0]), param_hint="--filters") from error
    if years is not None and chosen.name != "lsst":
        raise typer.BadParameter("only LSST's depth follows from years", param_hint="--years")
    world = draw_world(np.random.default_rng([seed]))
    plan = SurveyPlan(n_galaxies=galaxies, n_tiles=tiles, years=years, mag_limit=mag_limit)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Simulating", total=galaxies)
        written = simulate_survey(
            world,
            chosen,
            plan,
            directory=output,
            seed=seed,
            on_galaxies=lambda count: progress.advance(task, count),
        )
    if as_json:
        typer.echo(json.dumps({"catalog": str(written.catalog), "truth": str(written.truth)}))
    else:
        typer.echo(f"{written.catalog}\n{written.truth}")
