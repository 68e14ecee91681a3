"""The command ``hbmlc score``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["score"]


def score(
    result: Annotated[
        Path, typer.Argument(exists=True, help="photoz.parquet, or the directory it is in.")
    ],
    *,
    catalog: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="The catalogue that was calibrated.")
    ],
    truth: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Table with columns id and z_true.")
    ],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the boosted trees.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Measure redshifts against the truth, beside XGBoost on the same labels.

    Only galaxies without a spectroscopic redshift count.

    Example: hbmlc score results --catalog sky/catalog.parquet --truth sky/truth.parquet
    """
    # The science is heavy to import: only when the command runs, so that --help stays fast.
    from hbmlc_models.evaluate import ExaminationError, compare, comparison_table, read_examination
    from hbmlc_models.formats import CatalogError

    try:
        comparison = compare(read_examination(result, catalog=catalog, truth=truth), seed=seed)
    except (CatalogError, ExaminationError, ValueError) as error:
        typer.echo(f"hbmlc: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(comparison.as_dict(), indent=2))
        return
    console = Console(highlight=False)
    # A pipe has no width of its own; the table needs this much.
    console.width = max(console.width, 92)
    console.print(comparison_table(comparison))
