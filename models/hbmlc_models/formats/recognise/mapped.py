"""What a mapping says of columns and bands, against those that are there."""

from __future__ import annotations

from collections.abc import Mapping

from hbmlc_models.formats.errors import MappingInvalidError
from hbmlc_models.formats.findings import Finding, FindingCode, warn
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.readers import SourceColumn, SourceTable
from hbmlc_models.formats.recognise.band_names import Quantity
from hbmlc_models.formats.recognise.band_sources import Chosen
from hbmlc_models.formats.recognise.words import EXTRAS
from hbmlc_models.formats.shown import listed, shown
from hbmlc_models.formats.units import required_flux_unit

__all__ = ["check_bands", "check_columns", "mapped_elsewhere", "told_in_vain"]


def check_columns(mapping: ColumnMapping, table: SourceTable) -> None:
    """Raise ``MappingInvalidError`` where the mapping names what is not there, or twice."""
    for name in mapping.names():
        if name in table.doubles:
            raise MappingInvalidError(
                f"The column {shown(name)} is there twice; rename one, or map another.", where=name
            )
        base, _, index = name.removesuffix("]").partition("[")
        column = table.columns.get(name) or table.columns.get(base)
        if column is None:
            raise MappingInvalidError(
                f"There is no column {shown(name)} with one value a row; there are "
                f"{listed(table.columns, 8)}…",
                where=name,
            )
        if name in table.columns and column.n_elements is not None:
            raise MappingInvalidError(
                f"The column {shown(name)} has {column.n_elements} values a row; map one of them, "
                f"such as {name}[0].",
                where=name,
            )
        if name not in table.columns and not _is_element(index, column):
            raise MappingInvalidError(
                f"The column {shown(base)} has no element {shown(name)}; elements count from 0.",
                where=name,
            )


def _is_element(index: str, column: SourceColumn) -> bool:
    return index.isdigit() and column.n_elements is not None and int(index) < column.n_elements


def check_bands(given: ColumnMapping, chosen: Chosen) -> None:
    """Raise where the mapping says something of bands that are not there, or of none at all."""
    bands = {
        quantity: [band for band, (family, _) in chosen.items() if family.quantity is quantity]
        for quantity in (Quantity.MAG, Quantity.FLUX)
    }
    for name, quantity in (
        ("mag_offset", Quantity.MAG),
        ("zero_point", Quantity.FLUX),
        ("flux_unit", Quantity.FLUX),
    ):
        value = getattr(given, name)
        known = bands[quantity]
        wrong = sorted(set(value) - set(known)) if isinstance(value, Mapping) else []
        if wrong:
            raise MappingInvalidError(
                f"{name!r} speaks of {', '.join(wrong)}, and the bands that are read as "
                f"{quantity.value} are {', '.join(known) or 'none'}.",
                where=name,
            )
    for name in given.extras:
        if name not in EXTRAS and not name.startswith(("depth_", "seeing_")):
            raise MappingInvalidError(
                f"'extras' has no {name!r}; known: {', '.join(EXTRAS)}, depth_<band>, "
                "seeing_<band>.",
                where="extras",
            )


def told_in_vain(given: ColumnMapping, chosen: Chosen) -> list[Finding]:
    """Warn of a unit of fluxes where there are only magnitudes.

    Raises
    ------
    MappingInvalidError
        It is no unit.
    """
    if any(family.quantity is Quantity.FLUX for family, _ in chosen.values()):
        return []
    if isinstance(given.flux_unit, str):
        required_flux_unit(given.flux_unit)
    names = [name for name in ("flux_unit", "zero_point") if getattr(given, name) is not None]
    return [
        warn(
            FindingCode.UNIT_UNUSED,
            f"The mapping gives {name!r}, and all bands are read as magnitudes; map their fluxes "
            "where you mean those",
        )
        for name in names
    ]


def mapped_elsewhere(given: ColumnMapping) -> set[str]:
    """Columns that the caller said are no photometry."""
    quality = None if given.z_quality is None else given.z_quality.column
    single = (*given.id_columns, given.tile, given.ra, given.dec, given.z_spec, given.z_spec_err)
    return {name for name in (*single, quality, given.selected) if name is not None}
