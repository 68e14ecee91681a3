"""What commands that work through a service share: the service, the upload and the bars."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hbmlc.cli.catalog_report import print_report
from hbmlc.cli.output import explained_errors, messages

if TYPE_CHECKING:
    from rich.progress import Progress

    from hbmlc.client import Client
    from hbmlc.schemas import Catalog, ColumnMapping
    from hbmlc.schemas import Progress as JobProgress

__all__ = [
    "StageBars",
    "explained_client",
    "print_understood",
    "progress_bars",
    "service_client",
    "upload_catalog",
]


@contextmanager
def progress_bars() -> Generator[Progress]:
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
def explained_client(server: str | None, api_key: str | None) -> Generator[Client]:
    """Client of a service that runs already; errors become a sentence and an exit code."""
    from hbmlc.client import Client

    with explained_errors(), Client(server, api_key=api_key) as client:
        yield client


@contextmanager
def service_client(server: str | None, api_key: str | None) -> Generator[Client]:
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


def upload_catalog(
    client: Client,
    source: Path,
    *,
    mapping: ColumnMapping | None,
    timeout: float,
    progress: Progress,
) -> Catalog:
    """Upload a file and wait until the service has read it."""
    sending = progress.add_task("Upload", total=source.stat().st_size)
    uploaded = client.catalogs.create(
        source,
        mapping=mapping,
        on_progress=lambda done, _: progress.update(sending, completed=done),
    )
    reading = progress.add_task("Read", total=1.0)

    def show_ingest(catalog: Catalog) -> None:
        progress.update(reading, completed=catalog.progress or 0.0)

    catalog = client.catalogs.wait(uploaded.id, timeout=timeout, on_progress=show_ingest)
    progress.update(reading, completed=1.0)
    return catalog


def print_understood(catalog: Catalog, *, model: str | None = None) -> None:
    """Say on stderr what was understood of an upload, and which model is taken."""
    print_report(catalog, title=catalog.name, model=model, is_error=True)
    if not catalog.findings:
        # An older service says it in one sentence each.
        for warning in catalog.warnings:
            typer.echo(f"warning: {warning}", err=True)
    for reason, count in catalog.rejected.items():
        typer.echo(f"note: {count:,} values unusable: {reason}", err=True)


class StageBars:
    """One bar for each stage of a job."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, int] = {}

    def show(self, found: JobProgress) -> None:
        """Move the bars to where the job is."""
        for stage in found.stages:
            name = stage.stage.value.capitalize()
            if name not in self._bars:
                self._bars[name] = self._progress.add_task(name, total=1.0)
            self._progress.update(self._bars[name], completed=stage.fraction)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def _say_start() -> None:
    """Tell why it takes some seconds before anything happens."""
    console = messages()
    if console.is_terminal:
        console.print("Starting a local service; 'hbmlc serve' keeps one running.", style="dim")
