"""The application: global behaviour and the table of commands."""

from __future__ import annotations

from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from hbmlc.cli.calibrate import calibrate
from hbmlc.cli.catalogs import catalogs
from hbmlc.cli.exit_codes import ExitCode
from hbmlc.cli.plugins import PluginGroup
from hbmlc.cli.resources import calibrations, models, trainings
from hbmlc.cli.train import train

__all__ = ["app", "main"]

app = typer.Typer(
    cls=PluginGroup,
    name="hbmlc",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_asked: bool) -> None:  # noqa: FBT001 -- typer calls it with the flag's value
    if is_asked:
        typer.echo(installed_version("hbmlc"))
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Calibrated photometric redshifts on demand.

    Example: hbmlc calibrate galaxies.parquet --output results

    Exit codes: 0 done; 1 failed; 2 usage; 3 no service; 4 not allowed; 5 late; 6 not installed.
    """
    del version


app.command()(calibrate)
app.command()(train)
app.add_typer(catalogs, name="catalogs")
app.add_typer(calibrations, name="calibrations")
app.add_typer(models, name="models")
app.add_typer(trainings, name="trainings")


def main() -> None:
    """Run the command."""
    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(ExitCode.INTERRUPTED) from None
