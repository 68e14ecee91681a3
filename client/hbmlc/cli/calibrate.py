"""``hbmlc calibrate``: from a catalogue on disk to results on disk."""

from __future__ import annotations

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
    print_json,
)
from hbmlc.cli.session import StageBars, progress_bars, service_client, upload_catalog

if TYPE_CHECKING:
    from rich.progress import Progress

    from hbmlc.client import Client
    from hbmlc.schemas import Calibration, CalibrationOptions, ColumnMapping

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
    with (
        explained_errors(),
        progress_bars() as progress,
        service_client(server, api_key) as client,
    ):
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


def _run(client: Client, order: _Order, progress: Progress) -> tuple[Calibration, dict[str, Path]]:
    """Upload, calibrate, download."""
    catalog = upload_catalog(
        client, order.source, mapping=order.mapping, timeout=order.timeout, progress=progress
    )
    job = client.calibrations.create(
        catalog.id, model=order.model, options=order.options, seed=order.seed
    )
    bars = StageBars(progress)
    job = client.calibrations.wait(
        job.id, timeout=order.timeout, on_progress=lambda found: bars.show(found.progress)
    )
    fetching = progress.add_task("Download", total=None)
    paths = client.calibrations.download_all(job.id, order.output)
    progress.update(fetching, total=1, completed=1)
    return job, paths


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
