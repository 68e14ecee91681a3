"""How the command speaks: data on stdout, everything else on stderr."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from hbmlc.cli.exit_codes import exit_code_of
from hbmlc.errors import CatalogRejectedError, HbmlcError, StatusError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

__all__ = [
    "CountOption",
    "JsonFlag",
    "KeyOption",
    "ServerOption",
    "explained_errors",
    "messages",
    "print_json",
    "print_table",
]

ServerOption = Annotated[
    str | None,
    typer.Option("--server", envvar="HBMLC_URL", help="Address of a service, not a local one."),
]
KeyOption = Annotated[
    str | None,
    typer.Option("--api-key", envvar="HBMLC_API_KEY", help="Key for that service."),
]
CountOption = Annotated[int, typer.Option("--limit", min=1, help="Most items to show.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


def messages() -> Console:
    """Console on stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


@contextmanager
def explained_errors() -> Generator[None]:
    """Turn errors of the SDK into a sentence on stderr and an exit code."""
    try:
        yield
    except HbmlcError as error:
        typer.echo(f"hbmlc: {error}", err=True)
        if isinstance(error, StatusError):
            for finding in error.errors[:5]:
                typer.echo(f"  {finding.pointer or ''} {finding.message}", err=True)
        if isinstance(error, CatalogRejectedError):
            _print_other_findings(error)
        if error.request_id:
            typer.echo(f"  request {error.request_id}", err=True)
        raise typer.Exit(exit_code_of(error)) from error


def _print_other_findings(error: CatalogRejectedError) -> None:
    """Say what would mend an upload, and what else was found in it."""
    from hbmlc.cli.catalog_report import print_findings

    refusals = [item for item in error.catalog.findings if item.code == error.code]
    for cure in (item.mapping for item in refusals if item.mapping is not None):
        typer.echo(f"  mapping: {json.dumps(cure, ensure_ascii=False)}", err=True)
    print_findings([item for item in error.catalog.findings if item not in refusals])


def print_json(document: BaseModel | Sequence[BaseModel] | dict[str, object]) -> None:
    """Print one JSON document on stdout."""
    if isinstance(document, dict):
        typer.echo(json.dumps(document, indent=2))
    elif isinstance(document, Sequence):
        items = [item.model_dump(mode="json") for item in document]
        typer.echo(json.dumps(items, indent=2))
    else:
        typer.echo(document.model_dump_json(indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table on stdout; plain columns where stdout is no terminal."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join("" if cell is None else str(cell) for cell in row))
        return
    table = Table(*columns, box=SIMPLE)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console.print(table)
