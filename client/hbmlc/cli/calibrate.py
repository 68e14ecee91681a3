"""``hbmlc calibrate``: from a catalogue on disk to results on disk."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hbmlc.cli.estimate import cores_here, estimate
from hbmlc.cli.options import CatalogArgument, MappingOption, read_mapping, read_options
from hbmlc.cli.output import (
    JsonFlag,
    KeyOption,
    ServerOption,
    explained_errors,
    print_json,
)
from hbmlc.cli.session import (
    StageBars,
    print_understood,
    progress_bars,
    service_client,
    upload_catalog,
)

if TYPE_CHECKING:
    from rich.progress import Progress

    from hbmlc.client import Client
    from hbmlc.schemas import Calibration, CalibrationOptions, Catalog, ColumnMapping

__all__ = ["calibrate"]


def calibrate(  # noqa: PLR0913 -- each parameter is an option of the command
    catalog: CatalogArgument,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory for the results.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="name@alias or name:version; chosen by the bands if unset.")
    ] = None,
    tile_column: Annotated[str | None, typer.Option(help="Column that holds the tile.")] = None,
    mapping: MappingOption = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 0,
    preset: Annotated[str | None, typer.Option(help="'default', or 'seed' as published.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Further option as name=value; may be repeated.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Stop before it starts; say what it would take.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait at most.")] = 86_400.0,
    server: ServerOption = None,
    api_key: KeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Calibrate the photometric redshifts of a catalogue.

    Without --server the whole service runs on this machine for as long as it takes; one that
    already runs ('hbmlc serve') is used instead. What was understood of the catalogue, and which
    model is taken, stand on stderr before it starts.

    Example: hbmlc calibrate galaxies.parquet --output results --seed 1
    """
    if output is None and not dry_run:
        raise typer.BadParameter("name a directory for the results.", param_hint="--output")
    order = _Order(
        source=catalog,
        output=output or Path(),
        model=model,
        mapping=read_mapping(mapping, tile_column=tile_column),
        options=read_options(option or [], preset=preset),
        seed=seed,
        timeout=timeout,
        # Another machine's cores are not known.
        n_cores=cores_here() if server is None else None,
    )
    with (
        explained_errors(),
        progress_bars() as progress,
        service_client(server, api_key) as client,
    ):
        found = _upload(client, order, progress, is_kept=not dry_run)
        if dry_run:
            _stop(client, found, order, as_json=as_json)
            return
        calibration, paths = _run(client, order, found, progress)
    warnings = calibration.diagnostics.get("warnings")
    for warning in warnings if isinstance(warnings, list) else []:
        typer.echo(f"warning: {warning}", err=True)
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
    n_cores: int | None


def _upload(client: Client, order: _Order, progress: Progress, *, is_kept: bool) -> Catalog:
    """Upload the catalogue and say what was understood of it; a refused one may be deleted."""
    from hbmlc.errors import CatalogRejectedError

    try:
        catalog = upload_catalog(
            client, order.source, mapping=order.mapping, timeout=order.timeout, progress=progress
        )
    except CatalogRejectedError as error:
        if not is_kept:
            client.catalogs.delete(error.catalog.id)
        raise
    print_understood(catalog, model=order.model or catalog.recommended_model)
    return catalog


def _stop(client: Client, catalog: Catalog, order: _Order, *, as_json: bool) -> None:
    """Say what the calibration would take, and leave nothing behind."""
    n_tiles = catalog.coverage.n_tiles if catalog.coverage else 1
    expected = estimate(catalog.n_rows or 0, n_tiles=n_tiles, n_cores=order.n_cores)
    typer.echo(str(expected), err=True)
    if as_json:
        print_json({"catalog": catalog.model_dump(mode="json"), "expected": asdict(expected)})
    client.catalogs.delete(catalog.id)


def _run(
    client: Client, order: _Order, catalog: Catalog, progress: Progress
) -> tuple[Calibration, dict[str, Path]]:
    """Calibrate and download."""
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
