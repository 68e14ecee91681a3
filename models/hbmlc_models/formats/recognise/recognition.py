"""The whole of a recognition: a complete mapping, the sources of the bands, and what to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hbmlc_models.formats.errors import (
    BadErrorsError,
    MappingInvalidError,
    MissingIdsError,
    NoBandRecognisedError,
)
from hbmlc_models.formats.findings import Finding, FindingCode, warn
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.look import Look, look_at
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.readers import SourceColumn, SourceTable
from hbmlc_models.formats.recognise.band_names import Quantity, Role, parse_band_column
from hbmlc_models.formats.recognise.band_sources import Chosen, sources_of
from hbmlc_models.formats.recognise.choice import choose, missing_errors, settle_quantities
from hbmlc_models.formats.recognise.error_columns import judge_errors
from hbmlc_models.formats.recognise.families import Family, families_in
from hbmlc_models.formats.recognise.given import given_photometry, with_given_errors
from hbmlc_models.formats.recognise.identity import (
    degrees_of,
    first_of,
    plain_names,
    tile_of,
)
from hbmlc_models.formats.recognise.redshifts import (
    find_redshifts,
    redshift_columns,
    unused_quality,
)
from hbmlc_models.formats.recognise.sources import BandSource
from hbmlc_models.formats.recognise.words import DEC, EXTRAS, ID, RA, SELECTED
from hbmlc_models.formats.shown import is_printable_name, listed, shown

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
        return _with_photometry(mapping, sources)


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
    _check_columns(given, table)
    # Other names could neither be stored nor be shown.
    columns = {n: c for n, c in table.columns.items() if is_printable_name(n)}
    # A name that is there twice is a column like others until it is used.
    columns |= {n: SourceColumn() for n in table.doubles if is_printable_name(n)}
    columns = {n: _with_unit(n, c) for n, c in columns.items()}
    scalars = {n: c for n, c in columns.items() if c.n_elements is None}
    columns |= {n: columns[n.partition("[")[0]] for n in given.names() if n not in columns}
    names = plain_names(scalars)
    families = [f for f in families_in(names) if f.quantity.name.lower() not in given.off]
    look = look_at(table, _worth_a_look(families, names, given), limits)
    settled, findings = settle_quantities(families, scalars, look)
    chosen, said = _photometry(settled, given, columns, look, names)
    mags = {
        band: found.column
        for family in settled
        if family.quantity is Quantity.MAG and not family.is_dereddened
        for band, found in family.bands.items()
    }
    sources, remarks = sources_of(chosen, given, columns, look, mags)
    if not sources:
        raise _no_errors(chosen, columns)
    mapping, others = _complete(given, sources, names, look)
    _check_columns(mapping, table)
    if mapping.id is None and "id" not in given.off:
        raise _no_id(columns)
    _check_expansion(mapping, table, limits, file_bytes=file_bytes)
    sources, judged = judge_errors(sources, look)
    findings += [*said, *missing_errors(chosen), *remarks, *judged]
    return Recognised(
        mapping=mapping,
        sources=sources,
        degrees=degrees_of(mapping, columns),
        findings=(*findings, *others),
        is_tile_guessed=given.tile is None,
        is_selected_guessed=given.selected is None,
    )


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
        raise _no_band(columns, names)
    chosen, findings = choose(families, look, columns)
    return with_given_errors(chosen, given), findings


def _no_band(
    columns: Mapping[str, SourceColumn], names: Mapping[str, str]
) -> NoBandRecognisedError:
    """No band; where there are columns of errors, that is what is said."""
    errors = [
        column
        for column, plain in names.items()
        if (parsed := parse_band_column(plain)) is not None and parsed.role is not Role.VALUE
    ]
    vectors = [name for name, column in columns.items() if column.n_elements is not None]
    hint = ""
    if errors:
        hint = f" There are columns of errors, such as {listed(errors, 3)}, but none of values."
    elif vectors:
        hint = f" Elements of vectors are mapped as {vectors[0]}[0]."
    return NoBandRecognisedError(
        f"None of {len(columns)} columns names a band (first: {listed(columns, 5)}); name them "
        f"like mag_g and mag_err_g, or map them yourself.{hint}"
    )


def _no_errors(chosen: Chosen, columns: Mapping[str, SourceColumn]) -> BadErrorsError:
    """The bands are there, their errors are not."""
    values = [found.column for _, found in chosen.values()]
    likely = [n for n in columns if "err" in n.lower() or "unc" in n.lower() or "sig" in n.lower()]
    hint = f" (perhaps {listed(likely, 3)})" if likely else ""
    kind = "mag_err" if any(f.quantity is Quantity.MAG for f, _ in chosen.values()) else "flux_err"
    return BadErrorsError(
        f"None of the bands {', '.join(chosen)} ({listed(values, 3)} …) has an error column; add "
        f"the one-sigma errors (mag_err_g next to mag_g) or map them as {kind!r}{hint}.",
        where=values[0] if values else None,
    )


def _no_id(columns: Mapping[str, SourceColumn]) -> MissingIdsError:
    """Nothing identifies the galaxies."""
    return MissingIdsError(
        f"None of {len(columns)} columns is an id (first: {listed(columns, 5)}); call one 'id' or "
        "map it, or map 'id' to null to number the rows.",
        mapping={"id": None},
    )


def _complete(
    given: ColumnMapping,
    sources: tuple[BandSource, ...],
    names: Mapping[str, str],
    look: Look,
) -> tuple[ColumnMapping, list[Finding]]:
    """The mapping with all that was guessed, and what to say of the labels."""
    taken = {name for source in sources for name in (source.column, source.error_column)}
    lowered = {plain.lower(): column for column, plain in reversed(list(names.items()))}
    free = {plain: column for plain, column in lowered.items() if column not in taken}
    labels = find_redshifts(
        names, taken, look, is_given=given.z_spec is not None or "z_spec" in given.off
    )
    z_spec = given.z_spec or labels.column

    def guessed(name: str, found: str | None) -> str | None:
        chosen: str | None = getattr(given, name)
        return None if name in given.off else chosen or found

    findings = list(labels.findings)
    quality = given.z_quality
    if z_spec is not None and quality is None and "z_quality" not in given.off:
        findings += _told_quality(names, taken | {z_spec}, z_spec)
    extras = {} if "extras" in given.off else _extras(names, free) | dict(given.extras)
    mapping = replace(
        given,
        id=None if "id" in given.off else given.id or first_of(free, ID),
        tile=guessed("tile", tile_of(free)),
        ra=guessed("ra", first_of(free, RA)),
        dec=guessed("dec", first_of(free, DEC)),
        z_spec=None if "z_spec" in given.off else z_spec,
        selected=guessed("selected", first_of(free, SELECTED)),
        extras={name: column for name, column in sorted(extras.items()) if column not in taken},
    )
    return _with_photometry(mapping, sources), findings


def _told_quality(names: Mapping[str, str], taken: set[str], z_spec: str) -> list[Finding]:
    """Warn of a quality column beside the redshifts that nobody uses."""
    found = unused_quality({c: plain for c, plain in names.items() if c not in taken})
    if found is None:
        return []
    column, cut = found
    return [
        warn(
            FindingCode.QUALITY_UNUSED,
            f"The column {shown(column)} seems to say how sure {shown(z_spec)} is, and is not "
            "used; map 'z_quality' to leave unsure redshifts out.",
            column=column,
            mapping={"z_quality": cut},
        )
    ]


def _with_photometry(mapping: ColumnMapping, sources: tuple[BandSource, ...]) -> ColumnMapping:
    """The mapping with the bands that are used, and ``off`` what is not."""
    mags = [source for source in sources if source.quantity is Quantity.MAG]
    fluxes = [source for source in sources if source.quantity is Quantity.FLUX]
    units = {source.band: source.unit for source in fluxes}
    unit = next(iter(units.values()), None) if len(set(units.values())) == 1 else units or None
    found = replace(
        mapping,
        mag={source.band: source.column for source in mags},
        mag_err={source.band: source.error_column for source in mags},
        flux={source.band: source.column for source in fluxes},
        flux_err={s.band: s.error_column for s in fluxes if not s.is_ivar},
        flux_ivar={s.band: s.error_column for s in fluxes if s.is_ivar},
        flux_unit=unit if mapping.zero_point is None else None,
    )
    names = ("id", "tile", "ra", "dec", "z_spec", "selected", "extras")
    return replace(found, off=frozenset(name for name in names if not getattr(found, name)))


def _extras(names: Mapping[str, str], lowered: Mapping[str, str]) -> dict[str, str]:
    """Extra columns: morphology, environment, depth and seeing by band."""
    extras: dict[str, str] = {}
    for extra, spelled in EXTRAS.items():
        column = first_of(lowered, spelled.split())
        if column is not None:
            extras[extra] = column
    for column, plain in names.items():
        parsed = parse_band_column(plain)
        if parsed is not None and parsed.quantity in {Quantity.DEPTH, Quantity.SEEING}:
            extras.setdefault(f"{parsed.quantity.value}_{parsed.band}", column)
    return extras


def _check_expansion(
    mapping: ColumnMapping, table: SourceTable, limits: IngestLimits, *, file_bytes: int
) -> None:
    """Raise where the wanted columns unfold to more than a file of that size may hold."""
    if table.n_rows is not None:
        # A double for each column at least.
        row_bytes = 8 * len(mapping.names())
        limits.check_expansion(table.n_rows * row_bytes, file_bytes=file_bytes)


def _check_columns(mapping: ColumnMapping, table: SourceTable) -> None:
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
