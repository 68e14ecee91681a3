"""``hbmlc calibrations``, ``models``, ``trainings``: look at what a service holds."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from hbmlc.cli.output import (
    CountOption,
    JsonFlag,
    KeyOption,
    ServerOption,
    print_json,
    print_table,
)
from hbmlc.cli.session import explained_client

__all__ = ["calibrations", "models", "trainings"]

calibrations = typer.Typer(no_args_is_help=True, help="Calibrations and their results.")
models = typer.Typer(no_args_is_help=True, help="Registered model versions.")
trainings = typer.Typer(no_args_is_help=True, help="Trainings of your own model versions.")


@calibrations.command("list")
def list_calibrations(
    *,
    limit: CountOption = 20,
    server: ServerOption = None,
    api_key: KeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List calibrations, newest first. Example: hbmlc calibrations list --json."""
    with explained_client(server, api_key) as client:
        found = list(islice(client.calibrations.list(), limit))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            row.id,
            row.phase,
            f"{row.progress.fraction:.0%}",
            f"{row.model.name}:{row.model.version}",
            f"{row.created_at:%Y-%m-%d %H:%M}",
        )
        for row in found
    ]
    print_table(("id", "phase", "progress", "model", "created"), rows)


@calibrations.command("show")
def show_calibration(
    calibration_id: UUID, *, server: ServerOption = None, api_key: KeyOption = None
) -> None:
    """Show one calibration as JSON."""
    with explained_client(server, api_key) as client:
        print_json(client.calibrations.get(calibration_id))


@calibrations.command("download")
def download_results(
    calibration_id: UUID,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory for the results.")],
    server: ServerOption = None,
    api_key: KeyOption = None,
) -> None:
    """Download all results of a calibration, each checked against its digest."""
    with explained_client(server, api_key) as client:
        for path in client.calibrations.download_all(calibration_id, output).values():
            typer.echo(str(path))


@calibrations.command("abort")
def abort_calibration(
    calibration_id: UUID, *, server: ServerOption = None, api_key: KeyOption = None
) -> None:
    """Stop a calibration."""
    with explained_client(server, api_key) as client:
        print_json(client.calibrations.abort(calibration_id))


@calibrations.command("delete")
def delete_calibration(
    calibration_id: UUID, *, server: ServerOption = None, api_key: KeyOption = None
) -> None:
    """Delete a calibration and its results."""
    with explained_client(server, api_key) as client:
        client.calibrations.delete(calibration_id)


@models.command("list")
def list_models(
    *, server: ServerOption = None, api_key: KeyOption = None, as_json: JsonFlag = False
) -> None:
    """List the versions of all models. Example: hbmlc models list."""
    with explained_client(server, api_key) as client:
        found = client.models.list()
    if as_json:
        print_json(found)
        return
    rows = [
        (row.name, row.version, "".join(row.bands), ", ".join(row.aliases), row.digest[:12])
        for row in found
    ]
    print_table(("name", "version", "bands", "aliases", "digest"), rows)


@models.command("show")
def show_model(
    name: str, version: int, *, server: ServerOption = None, api_key: KeyOption = None
) -> None:
    """Show one model version and its card as JSON."""
    with explained_client(server, api_key) as client:
        print_json(client.models.get(name, version))


@models.command("aliases")
def list_aliases(
    name: str,
    *,
    server: ServerOption = None,
    api_key: KeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List where the aliases of a model point and pointed, newest first, and who set them."""
    with explained_client(server, api_key) as client:
        found = client.models.aliases(name)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            row.alias,
            row.version,
            f"{row.updated_at:%Y-%m-%d %H:%M}",
            row.set_by,
            row.verdict.reason if row.verdict else "",
        )
        for row in found
    ]
    print_table(("alias", "version", "since", "set by", "why"), rows)


@trainings.command("list")
def list_trainings(
    *,
    limit: CountOption = 20,
    server: ServerOption = None,
    api_key: KeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List trainings, newest first. Example: hbmlc trainings list."""
    with explained_client(server, api_key) as client:
        found = list(islice(client.trainings.list(), limit))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            row.id,
            row.phase,
            f"{row.progress.fraction:.0%}",
            f"{row.name}:{row.version}",
            "production" if row.result and row.result.is_promoted else "",
        )
        for row in found
    ]
    print_table(("id", "phase", "progress", "version", "promoted"), rows)


@trainings.command("show")
def show_training(
    training_id: UUID, *, server: ServerOption = None, api_key: KeyOption = None
) -> None:
    """Show one training as JSON."""
    with explained_client(server, api_key) as client:
        print_json(client.trainings.get(training_id))


@trainings.command("abort")
def abort_training(
    training_id: UUID, *, server: ServerOption = None, api_key: KeyOption = None
) -> None:
    """Stop a training."""
    with explained_client(server, api_key) as client:
        print_json(client.trainings.abort(training_id))


@trainings.command("delete")
def delete_training(
    training_id: UUID, *, server: ServerOption = None, api_key: KeyOption = None
) -> None:
    """Delete a training; the version that it made stays."""
    with explained_client(server, api_key) as client:
        client.trainings.delete(training_id)
