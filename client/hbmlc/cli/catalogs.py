"""``hbmlc catalogs``: look at uploads, correct their mapping, delete them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from hbmlc.cli.catalog_report import print_report
from hbmlc.cli.options import MappingOption, change_mapping, read_mapping
from hbmlc.cli.output import (
    CountOption,
    JsonFlag,
    KeyOption,
    ServerOption,
    print_json,
    print_table,
)
from hbmlc.cli.session import explained_client

if TYPE_CHECKING:
    from hbmlc.schemas import Catalog

__all__ = ["catalogs"]

catalogs = typer.Typer(no_args_is_help=True, help="Uploaded catalogues.")


@catalogs.command("list")
def list_catalogs(
    *,
    limit: CountOption = 20,
    server: ServerOption = None,
    api_key: KeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List catalogues, newest first. Example: hbmlc catalogs list --limit 5."""
    with explained_client(server, api_key) as client:
        found = list(islice(client.catalogs.list(), limit))
    if as_json:
        print_json(found)
        return
    rows = [
        (row.id, row.state, row.name, row.n_rows, row.n_labelled, "".join(row.bands))
        for row in found
    ]
    print_table(("id", "state", "name", "galaxies", "labelled", "bands"), rows)


@catalogs.command("show")
def show_catalog(
    catalog_id: UUID,
    *,
    server: ServerOption = None,
    api_key: KeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show what was understood of a catalogue: bands, units, magnitudes, labels, findings.

    Example: hbmlc catalogs show 01a21c4e-53b2-7b82-b9a1-1646692fc222 --json
    """
    with explained_client(server, api_key) as client:
        found = client.catalogs.get(catalog_id)
    _print(found, as_json=as_json)


@catalogs.command("remap")
def remap_catalog(
    catalog_id: UUID,
    *,
    mapping: MappingOption = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="One field as name=value in JSON; may be repeated."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait at most.")] = 3_600.0,
    server: ServerOption = None,
    api_key: KeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Correct the column mapping of a catalogue; its content is read again.

    Without --mapping the mapping that was asked for stays, but for what --set changes.

    Example: hbmlc catalogs remap ID --set flux_unit=uJy --set id=null
    """
    if mapping is None and not setting:
        raise typer.BadParameter("give a mapping, or a field to set.", param_hint="--mapping")
    read = read_mapping(mapping, tile_column=None)
    with explained_client(server, api_key) as client:
        before = read if mapping is not None else client.catalogs.get(catalog_id).mapping
        client.catalogs.remap(catalog_id, change_mapping(before, setting or ()))
        found = client.catalogs.wait(catalog_id, timeout=timeout)
    _print(found, as_json=as_json)


@catalogs.command("delete")
def delete_catalog(
    catalog_id: UUID, *, server: ServerOption = None, api_key: KeyOption = None
) -> None:
    """Delete a catalogue and its content."""
    with explained_client(server, api_key) as client:
        client.catalogs.delete(catalog_id)


def _print(catalog: Catalog, *, as_json: bool) -> None:
    """Print a catalogue on stdout."""
    if as_json:
        print_json(catalog)
        return
    title = f"{catalog.name} ({catalog.state.value})"
    print_report(catalog, title=title, model=catalog.recommended_model)
