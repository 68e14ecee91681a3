"""``hbmlc train``: a survey's own model version, from its catalogues on disk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from hbmlc.cli.options import CatalogsArgument, MappingOption, read_mapping, read_training_options
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
    from hbmlc.schemas import ColumnMapping, TrainedVersion, Training, TrainingOptions

__all__ = ["train"]


MAX_CATALOGS = 20
"""As many as the service takes at once."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def _checked_name(name: str) -> str:
    """Refuse a name before hours of upload, not after."""
    if not _NAME.fullmatch(name):
        raise typer.BadParameter("write lower-case letters, digits, '.', '_' and '-' only.")
    return name


def train(  # noqa: PLR0913 -- each parameter is an option of the command
    catalogs: CatalogsArgument,
    *,
    name: Annotated[
        str,
        typer.Option(help="Name of the model; it gets its next number.", callback=_checked_name),
    ],
    promote: Annotated[
        bool, typer.Option(help="Make it production where it beats the present version.")
    ] = True,
    tile_column: Annotated[str | None, typer.Option(help="Column that holds the tile.")] = None,
    mapping: MappingOption = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 0,
    option: Annotated[
        list[str] | None, typer.Option(help="train_steps or meta_steps as name=value.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait at most.")] = 86_400.0,
    server: ServerOption = None,
    api_key: KeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Meta-train a survey's own model version on its catalogues.

    All catalogues need the same bands. The version is registered under NAME; where it beats the
    present one on held-out labels, calibrations take it from then on.

    Example: hbmlc train deep.parquet wide.parquet --name my-survey
    """
    if len(catalogs) > MAX_CATALOGS:
        raise typer.BadParameter(f"give {MAX_CATALOGS} at most.", param_hint="CATALOGS")
    order = _Order(
        sources=tuple(catalogs),
        name=name,
        promote=promote,
        mapping=read_mapping(mapping, tile_column=tile_column),
        options=read_training_options(option or []),
        seed=seed,
        timeout=timeout,
    )
    with (
        explained_errors(),
        progress_bars() as progress,
        service_client(server, api_key) as client,
    ):
        training = _run(client, order, progress)
    if as_json:
        print_json(training)
        return
    if training.result is not None:
        typer.echo(training.result.reference)
        _summarise(training.result)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What to train and how."""

    sources: tuple[Path, ...]
    name: str
    promote: bool
    mapping: ColumnMapping | None
    options: TrainingOptions
    seed: int
    timeout: float


def _run(client: Client, order: _Order, progress: Progress) -> Training:
    """Upload all catalogues, then train."""
    uploaded = [
        upload_catalog(
            client, source, mapping=order.mapping, timeout=order.timeout, progress=progress
        )
        for source in order.sources
    ]
    for catalog in uploaded:
        print_understood(catalog)
    training = client.trainings.create(
        order.name,
        [catalog.id for catalog in uploaded],
        options=order.options,
        seed=order.seed,
        promote="if-better" if order.promote else "never",
    )
    bars = StageBars(progress)
    return client.trainings.wait(
        training.id, timeout=order.timeout, on_progress=lambda found: bars.show(found.progress)
    )


def _summarise(result: TrainedVersion) -> None:
    """Print on stderr how the version fared beside the other, and what became of it."""
    columns = {
        name: cast("Mapping[str, object]", found)
        for name, found in result.metrics.items()
        if isinstance(found, dict)
    }
    typer.echo(f"On {result.gate.n_held_out} labelled galaxies that were held out:", err=True)
    names = dict.fromkeys(name for found in columns.values() for name in found)
    for name in names:
        shown = "  ".join(f"{label} {_number(found[name])}" for label, found in columns.items())
        typer.echo(f"  {name:<20} {shown}", err=True)
    typer.echo(result.promotion, err=True)


def _number(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, int | float) else str(value)
