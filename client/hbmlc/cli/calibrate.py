"""``hbmlc calibrate``: from a catalogue on disk to results on disk."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hbmlc.cli.options import read_mapping, read_options
from hbmlc.cli.output import (
    JsonFlag,
    KeyOption,
    ServerOption,
    explained_errors,
    messages,
    print_json,
)

if TYPE_CHECKING:
    from rich.progress import Progress

    from hbmlc.client import Client
    from hbmlc.schemas import Calibration, CalibrationOptions, Catalog, ColumnMapping

__all__ = ["calibrate"]


def calibrate(  # noqa: PLR0913 -- each parameter is an option of the command
    catalog: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, readable=True, help="Parquet, FITS, HDF5, CSV or VOTable."
        ),
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory for the results.")],
    model: Annotated[
        str | None, typer.Option(help="name@alias or name:version; chosen by the bands if unset.")
    ] = None,
    tile_column: Annotated[str | None, typer.Option(help="Column that holds the tile.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(exists=True, help="JSON file that maps the columns.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 0,
    preset: Annotated[str | None, typer.Option(help="'default', or 'seed' as published.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Further option as name=value; may be repeated.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait at most.")] = 86_400.0,
    server: ServerOption = None,
    api_key: KeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Calibrate the photometric redshifts of a catalogue.

    Without --server the whole service runs on this machine for as long as it takes; one that
    already runs ('hbmlc serve') is used instead.

    Example: hbmlc calibrate galaxies.parquet --output results --seed 1
    """
    order = _Order(
        source=catalog,
        output=output,
        model=model,
        mapping=read_mapping(mapping, tile_column=tile_column),
        options=read_options(option or [], preset=preset),
        seed=seed,
        timeout=timeout,
    )
    with explained_errors(), _progress() as progress, _client(server, api_key) as client:
        calibration, paths = _run(client, order, progress)
    if as_json:
        print_json(
            {
                "calibration": calibration.model_dump(mode="json"),
                "results": {name: str(path) for name, path in paths.items()},
            }
        )
        return
    for path in paths.values():
        typer.echo(str(path))
    _summarise(paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What to calibrate and how."""

    source: Path
    output: Path
    model: str | None
    mapping: ColumnMapping | None
    options: CalibrationOptions
    seed: int
    timeout: float


@contextmanager
def _progress() -> Generator[Progress]:
    """Bars on stderr; silent where that is no terminal."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = messages()
    columns = (
        TextColumn("{task.description:<14}"),
        BarColumn(bar_width=40),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield progress


@contextmanager
def _client(server: str | None, api_key: str | None) -> Generator[Client]:
    """Client of the named service, else of the one on this machine."""
    from hbmlc._config import home
    from hbmlc.cli.local_service import local_service
    from hbmlc.client import Client

    if server is not None:
        with Client(server, api_key=api_key) as client:
            yield client
        return
    with (
        local_service(home(), on_start=_say_start) as endpoint,
        Client(endpoint.url, api_key=endpoint.api_key) as client,
    ):
        yield client


def _say_start() -> None:
    """Tell why it takes some seconds before anything happens."""
    console = messages()
    if console.is_terminal:
        console.print("Starting a local service; 'hbmlc serve' keeps one running.", style="dim")


def _run(client: Client, order: _Order, progress: Progress) -> tuple[Calibration, dict[str, Path]]:
    """Upload, calibrate, download."""
    sending = progress.add_task("Upload", total=order.source.stat().st_size)
    uploaded = client.catalogs.create(
        order.source,
        mapping=order.mapping,
        on_progress=lambda done, _: progress.update(sending, completed=done),
    )
    reading = progress.add_task("Read", total=1.0)

    def show_ingest(catalog: Catalog) -> None:
        progress.update(reading, completed=catalog.progress or 0.0)

    catalog = client.catalogs.wait(uploaded.id, timeout=order.timeout, on_progress=show_ingest)
    progress.update(reading, completed=1.0)
    for warning in catalog.warnings:
        typer.echo(f"hbmlc: note: {warning}", err=True)
    for reason, count in catalog.rejected.items():
        typer.echo(f"hbmlc: note: {count} values unusable: {reason}", err=True)
    job = client.calibrations.create(
        catalog.id, model=order.model, options=order.options, seed=order.seed
    )
    job = client.calibrations.wait(job.id, timeout=order.timeout, on_progress=_stage_bars(progress))
    fetching = progress.add_task("Download", total=None)
    paths = client.calibrations.download_all(job.id, order.output)
    progress.update(fetching, total=1, completed=1)
    return job, paths


class _stage_bars:  # noqa: N801 -- used as a function
    """One bar for each stage of a calibration."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, int] = {}

    def __call__(self, calibration: Calibration) -> None:
        for stage in calibration.progress.stages:
            name = stage.stage.value.capitalize()
            if name not in self._bars:
                self._bars[name] = self._progress.add_task(name, total=1.0)
            self._progress.update(self._bars[name], completed=stage.fraction)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def _summarise(paths: dict[str, Path]) -> None:
    """Print the headline of ``metrics.json`` on stderr."""
    import json

    if "metrics.json" not in paths:
        return
    metrics = json.loads(paths["metrics.json"].read_text())
    headline = metrics.get("headline", metrics)
    numbers = {name: value for name, value in headline.items() if isinstance(value, int | float)}
    if numbers:
        n_held_out = metrics.get("n_held_out", "the")
        typer.echo(f"On {n_held_out} labelled galaxies that no fit has seen:", err=True)
    for name, value in numbers.items():
        typer.echo(f"  {name:<24} {value:.5g}", err=True)
