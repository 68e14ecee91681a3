"""``hbmlc inspect``: what an ingest would understand of a table, without a service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hbmlc.cli.catalog_report import print_findings, print_report
from hbmlc.cli.exit_codes import ExitCode
from hbmlc.cli.options import CatalogArgument, MappingOption, read_mapping
from hbmlc.cli.output import JsonFlag, print_json
from hbmlc.cli.session import progress_bars
from hbmlc.schemas import CatalogReport, ColumnMapping, Finding, Severity, column_of

if TYPE_CHECKING:
    from hbmlc_models.formats import CatalogError, IngestReport

__all__ = ["inspect"]


def inspect(
    catalog: CatalogArgument,
    *,
    mapping: MappingOption = None,
    write_mapping: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Write the mapping that was used, to edit, to this file."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what is understood of a table: bands, units, magnitudes, labels, and what is odd.

    Nothing is uploaded; a service would understand the same.

    Example: hbmlc inspect galaxies.fits --write-mapping mapping.json
    """
    asked = read_mapping(mapping, tile_column=None)
    # The science is heavy to import: only when the command runs.
    from hbmlc_models.formats import CatalogError

    try:
        report = _inspected(catalog, asked)
    except CatalogError as error:
        _refuse(error, as_json=as_json)
        raise typer.Exit(ExitCode.FAILED) from error
    if write_mapping is not None:
        _write(report, write_mapping)
    shown = _shown(report)
    if as_json:
        print_json(shown)
    else:
        print_report(shown, title=catalog.name)


def _inspected(source: Path, asked: ColumnMapping | None) -> IngestReport:
    from hbmlc_models import formats

    document = {} if asked is None else asked.model_dump(mode="json")
    mapping = formats.ColumnMapping.from_dict(document)
    with progress_bars() as progress:
        reading = progress.add_task("Read", total=1.0)
        return formats.inspect_table(
            source,
            mapping=mapping,
            on_progress=lambda done: progress.update(reading, completed=done),
        )


def _shown(report: IngestReport) -> CatalogReport:
    """Report by the names that the service gives to its parts."""
    document = report.as_dict()
    return CatalogReport.model_validate({**document, "mapping_used": document["mapping"]})


def _refuse(error: CatalogError, *, as_json: bool) -> None:
    """Say why a table is refused, what would mend it, and what was found so far."""
    refusal = Finding(
        severity=Severity.ERROR,
        code=error.code,
        message=error.message,
        column=column_of(error.where),
        mapping=getattr(error, "mapping", None),
    )
    found = [Finding.model_validate(item.as_dict()) for item in getattr(error, "findings", ())]
    if as_json:
        print_json(CatalogReport(findings=[refusal, *found]))
    else:
        print_findings([refusal, *found])


def _write(report: IngestReport, path: Path) -> None:
    """Write the mapping that was used, ready to be edited and given back with ``--mapping``."""
    text = json.dumps(report.mapping.as_dict(), indent=2, ensure_ascii=False)
    try:
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(
            f"{path} cannot be written: {error.strerror}.", param_hint="--write-mapping"
        ) from error
    typer.echo(f"hbmlc: wrote {path}; edit it and give it with --mapping.", err=True)
