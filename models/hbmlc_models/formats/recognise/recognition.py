"""The whole of a recognition: a complete mapping, the sources of the bands, and what to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hbmlc_models.formats.findings import Finding, FindingCode, note
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.look import Look, look_at
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.readers import SourceColumn, SourceTable
from hbmlc_models.formats.recognise.band_names import Quantity, parse_band_column
from hbmlc_models.formats.recognise.band_sources import Chosen, sources_of
from hbmlc_models.formats.recognise.choice import choose, missing_errors, settle_quantities
from hbmlc_models.formats.recognise.completion import completed, with_photometry
from hbmlc_models.formats.recognise.error_columns import judge_errors
from hbmlc_models.formats.recognise.families import Family, families_in
from hbmlc_models.formats.recognise.given import (
    given_photometry,
    with_given_errors,
    without_errors_off,
)
from hbmlc_models.formats.recognise.identity import (
    degrees_of,
    plain_names,
)
from hbmlc_models.formats.recognise.ids import unique_id
from hbmlc_models.formats.recognise.mapped import (
    check_bands,
    check_columns,
    mapped_elsewhere,
    told_in_vain,
)
from hbmlc_models.formats.recognise.redshifts import (
    redshift_columns,
)
from hbmlc_models.formats.recognise.refusals import no_band, no_errors, no_id
from hbmlc_models.formats.recognise.sources import BandSource
from hbmlc_models.formats.shown import is_printable_name, listed

__all__ = ["Recognised", "recognise"]

_MAX_LOOKED_AT = 400
"""Columns whose first rows are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What is known of an upload before its rows are read in full."""

    mapping: ColumnMapping
    """Complete: what is empty is not used."""
    sources: tuple[BandSource, ...]
    """Bands in order of wavelength."""
    degrees: tuple[float, float]
    """Degrees per unit of right ascension and of declination."""
    findings: tuple[Finding, ...]
    """What was noticed."""
    is_tile_guessed: bool
    """Whether the tile column was guessed: such a one may be dropped later on."""
    is_selected_guessed: bool
    """The same of the column that says which galaxies were selected."""

    def complete(self, mapping: ColumnMapping, sources: tuple[BandSource, ...]) -> ColumnMapping:
        """``mapping`` with the bands of ``sources`` alone: what was used in the end."""
        return with_photometry(mapping, sources)


def recognise(
    table: SourceTable, given: ColumnMapping | None, limits: IngestLimits, *, file_bytes: int
) -> Recognised:
    """Recognise the columns of ``table``, in a file of that size; ``given`` overrides the guess.

    Raises
    ------
    NoBandRecognisedError
        No name looks like a magnitude or a flux; the message shows the first names.
    BadErrorsError
        No band has errors, or what is called so is something else.
    MappingInvalidError
        The mapping names what is not there.
    """
    given = given or ColumnMapping()
    check_columns(given, table)
    columns = _columns_of(table, given)
    scalars = {n: c for n, c in columns.items() if c.n_elements is None}
    names = plain_names(scalars)
    elsewhere = mapped_elsewhere(given)
    families = [
        f
        for f in families_in({n: plain for n, plain in names.items() if n not in elsewhere})
        if f.quantity.name.lower() not in given.off
    ]
    look = look_at(table, _worth_a_look(families, names, given), limits)
    settled, findings = settle_quantities(families, scalars, look)
    settled = without_errors_off(settled, given.off)
    chosen, said = _photometry(settled, given, columns, look, names)
    check_bands(given, chosen)
    mags = {
        band: found.column
        for family in settled
        if family.quantity is Quantity.MAG and not family.is_dereddened
        for band, found in family.bands.items()
    }
    sources, remarks = sources_of(chosen, given, columns, look, mags)
    if not sources:
        raise no_errors(chosen, columns)
    mapping, others = completed(given, sources, names, look)
    check_columns(mapping, table)
    if mapping.id is None and "id" not in given.off:
        found = unique_id(table, names, mapping.names(), limits)
        if found is None:
            raise no_id(columns)
        mapping = replace(mapping, id=found, off=mapping.off - {"id"})
    _check_expansion(mapping, table, limits, file_bytes=file_bytes)
    sources, judged = judge_errors(sources, look)
    findings += [*said, *missing_errors(chosen), *remarks, *judged, *_doubles(table)]
    findings += told_in_vain(given, chosen)
    return Recognised(
        mapping=mapping,
        sources=sources,
        degrees=degrees_of(mapping, columns),
        findings=(*findings, *others),
        is_tile_guessed=given.tile is None,
        is_selected_guessed=given.selected is None,
    )


def _columns_of(table: SourceTable, given: ColumnMapping) -> dict[str, SourceColumn]:
    """Columns with the units in their names, and the elements of vectors that are mapped."""
    # Other names could neither be stored nor be shown.
    columns = {n: c for n, c in table.columns.items() if is_printable_name(n)}
    # A name that is there twice is a column like others until it is used.
    columns |= {n: SourceColumn() for n in table.doubles if is_printable_name(n)}
    columns = {n: _with_unit(n, c) for n, c in columns.items()}
    return columns | {n: columns[n.partition("[")[0]] for n in given.names() if n not in columns}


def _doubles(table: SourceTable) -> list[Finding]:
    """Name columns that are there twice, and not used."""
    names = [name for name in table.doubles if is_printable_name(name)]
    if not names:
        return []
    return [
        note(
            FindingCode.COLUMN_TWICE,
            f"several columns have the same name and are not used: {listed(names, 5)}",
            column=names[0],
        )
    ]


def _with_unit(name: str, column: SourceColumn) -> SourceColumn:
    """Column with the unit in its name, where the file gives none."""
    parsed = None if column.unit else parse_band_column(name)
    return column if parsed is None or parsed.unit is None else replace(column, unit=parsed.unit)


def _worth_a_look(
    families: list[Family], names: Mapping[str, str], given: ColumnMapping
) -> list[str]:
    """Columns whose values decide something, the most important first."""
    wanted = [*given.names(), *redshift_columns(names)]
    ranked = sorted(families, key=lambda family: (-len(family.complete), -len(family.bands)))
    for family in ranked:
        for found in family.bands.values():
            wanted += [found.column, *([found.error] if found.error else [])]
    return list(dict.fromkeys(wanted))[:_MAX_LOOKED_AT]


def _photometry(
    families: list[Family],
    given: ColumnMapping,
    columns: Mapping[str, SourceColumn],
    look: Look,
    names: Mapping[str, str],
) -> tuple[Chosen, list[Finding]]:
    """Columns of the bands: those of the mapping, else the best of the families."""
    explicit = given_photometry(given, families)
    if explicit is not None:
        return with_given_errors(explicit, given), []
    if not families:
        raise no_band(columns, names, off=given.off)
    chosen, findings = choose(families, look, columns)
    return with_given_errors(chosen, given), findings


def _check_expansion(
    mapping: ColumnMapping, table: SourceTable, limits: IngestLimits, *, file_bytes: int
) -> None:
    """Raise where the wanted columns unfold to more than a file of that size may hold."""
    if table.n_rows is not None:
        # A double for each column at least.
        row_bytes = 8 * len(mapping.names())
        limits.check_expansion(table.n_rows * row_bytes, file_bytes=file_bytes)
