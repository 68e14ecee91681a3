"""From chosen columns to sources: the unit of each column, and what disagrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hbmlc_models.formats.errors import BadErrorsError, MappingInvalidError
from hbmlc_models.formats.findings import Finding, FindingCode, warn
from hbmlc_models.formats.look import Look
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.readers import SourceColumn
from hbmlc_models.formats.recognise.band_names import Quantity
from hbmlc_models.formats.recognise.families import Family, Measured
from hbmlc_models.formats.recognise.flux_units import (
    SAME_MAGS,
    assume_unit,
    is_plausible_unit,
    unit_from_mags,
    zero_point_between,
)
from hbmlc_models.formats.recognise.sources import BandSource
from hbmlc_models.formats.recognise.vega import vega_magnitudes
from hbmlc_models.formats.report import UnitSource
from hbmlc_models.formats.shown import shown
from hbmlc_models.formats.units import (
    FluxUnit,
    flux_unit,
    is_per_wavelength,
    is_vega,
    mag_per,
    required_flux_unit,
    squared_unit,
    zero_point_unit,
)

__all__ = ["sources_of"]

_SAME_UNIT = 1e-3

Chosen = Mapping[str, tuple[Family, Measured]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What is known besides the chosen columns."""

    mapping: ColumnMapping
    columns: Mapping[str, SourceColumn]
    look: Look
    mags: Mapping[str, str]
    """Magnitude columns by band, whatever is chosen."""


def sources_of(
    chosen: Chosen,
    mapping: ColumnMapping,
    columns: Mapping[str, SourceColumn],
    look: Look,
    mags: Mapping[str, str],
) -> tuple[tuple[BandSource, ...], list[Finding]]:
    """Sources of the bands that have values and errors, in their order, and what to say of them.

    Raises
    ------
    MappingInvalidError
        A unit in the mapping is none, or one in the file cannot be turned into AB.
    """
    given = _Given(mapping=mapping, columns=columns, look=look, mags=mags)
    usable = {band: pair for band, pair in chosen.items() if pair[1].error is not None}
    fluxes = {b: m for b, (family, m) in usable.items() if family.quantity is Quantity.FLUX}
    units, findings = _flux_units(fluxes, given)
    sources: list[BandSource] = []
    for band, (_, measured) in usable.items():
        if band in units:
            sources.append(_flux_source(band, measured, units[band], given))
        else:
            sources.append(_mag_source(band, measured, given))
    findings += vega_magnitudes(sources, mapping, columns)
    findings += _disagreeing(sources, given)
    return tuple(sources), findings


_Unit = tuple[FluxUnit, UnitSource]


def _flux_units(
    fluxes: Mapping[str, Measured], given: _Given
) -> tuple[dict[str, _Unit], list[Finding]]:
    """Unit of each band: of the mapping, else of the file, else assumed for all that have none."""
    units: dict[str, _Unit] = {}
    findings: list[Finding] = []
    for band, measured in fluxes.items():
        in_file, remark = _unit_in_file(measured.column, given.columns, band)
        mapped = _mapped_unit(band, given.mapping)
        if mapped is not None and in_file is not None and not _is_same(in_file, mapped):
            units[band], said = _settled(measured, in_file, mapped, fluxes, given)
            findings.append(said)
        elif mapped is not None:
            units[band] = mapped, UnitSource.MAPPING
        elif in_file is not None:
            units[band] = in_file, UnitSource.FILE
        elif remark is not None:
            findings.append(remark)
    bare = {band: found for band, found in fluxes.items() if band not in units}
    if bare:
        assumed = unit_from_mags(bare, given.mags, given.look) or assume_unit(
            bare, given.look, tuple(given.columns)
        )
        units |= dict.fromkeys(bare, (assumed.unit, UnitSource.ASSUMED))
        findings.append(assumed.finding)
    return units, findings


def _unit_in_file(
    column: str, columns: Mapping[str, SourceColumn], band: str
) -> tuple[FluxUnit | None, Finding | None]:
    """Unit that the file gives a column, and a remark where it is not understood."""
    text = columns[column].unit
    if not text or not text.strip() or text.strip() in {"-", "--", "---", "1"}:
        return None, None
    found = flux_unit(text)
    if found is not None:
        return found, None
    if is_per_wavelength(text):
        raise MappingInvalidError(
            f"The column {shown(column)} is a flux per wavelength ({shown(text)}), which needs the "
            f"filter {band} to become AB; write it per frequency, such as uJy.",
            where=column,
        )
    return None, warn(
        FindingCode.UNIT_NOT_UNDERSTOOD,
        f"The unit {shown(text)} of {shown(column)} is no flux density; set 'flux_unit', or "
        "'zero_point' [AB mag] for counts.",
        column=column,
    )


def _mapped_unit(band: str, mapping: ColumnMapping) -> FluxUnit | None:
    """Unit that the mapping gives a band."""
    point = mapping.zero_point
    if isinstance(point, Mapping):
        point = point.get(band)
    if point is not None:
        return zero_point_unit(point)
    text = mapping.flux_unit
    if isinstance(text, Mapping):
        text = text.get(band)
    return None if text is None else required_flux_unit(text)


def _is_same(one: FluxUnit, other: FluxUnit) -> bool:
    return abs(one.maggies / other.maggies - 1) < _SAME_UNIT


def _settled(
    measured: Measured,
    in_file: FluxUnit,
    mapped: FluxUnit,
    fluxes: Mapping[str, Measured],
    given: _Given,
) -> tuple[_Unit, Finding]:
    """Unit of a column where file and mapping disagree, and what to say.

    The mapping wins, unless no survey can have such fluxes and in the unit of the file one can; a
    zero point wins always.
    """
    column = measured.column
    is_mapped = (
        # Who gives a zero point knows what the file says.
        given.mapping.zero_point is not None
        or is_plausible_unit(mapped, fluxes, given.look)
        or not is_plausible_unit(in_file, fluxes, given.look)
    )
    taken = (
        "the mapping is taken"
        if is_mapped
        else (
            f"no survey has such fluxes in {mapped.name}, so the file is believed; a 'zero_point' "
            "overrides it"
        )
    )
    unit = (mapped, UnitSource.MAPPING) if is_mapped else (in_file, UnitSource.FILE)
    return unit, warn(
        FindingCode.UNIT_OVERRIDDEN,
        f"The file gives {shown(column)} the unit {in_file.name}, the mapping says {mapped.name}: "
        f"{taken}.",
        column=column,
        mapping={"flux_unit": in_file.name},
    )


def _flux_source(band: str, measured: Measured, unit: _Unit, given: _Given) -> BandSource:
    """Source of a flux; its error has a unit of its own where the file gives it one."""
    found, origin = unit
    error = measured.error or ""
    error_scale = found.maggies
    text = given.columns[error].unit
    value_text = given.columns[measured.column].unit
    in_file = flux_unit(value_text) if value_text else None
    if text:
        own = _error_unit(band, measured, text)
        if own is not None and in_file is not None and _is_same(in_file, found):
            error_scale = own.maggies
    return BandSource(
        band=band,
        column=measured.column,
        error_column=error,
        quantity=Quantity.FLUX,
        is_ivar=measured.is_ivar,
        unit=found.name,
        unit_from=origin,
        scale=found.maggies,
        error_scale=error_scale,
    )


def _error_unit(band: str, measured: Measured, text: str) -> FluxUnit | None:
    """Unit of an error or of what an inverse variance stands for; ``None`` where it is none.

    Raises
    ------
    BadErrorsError
        It is that of something else.
    """
    squared = squared_unit(text)
    if mag_per(text) is not None:
        raise BadErrorsError(
            f"The errors of {band}, {shown(measured.error or '')}, are magnitudes ({shown(text)}), "
            f"and {shown(measured.column)} is a flux; map the errors of the flux.",
            where=measured.error,
        )
    if squared is None:
        return None if measured.is_ivar else flux_unit(text)
    unit, power = squared
    if measured.is_ivar and power < 0:
        return unit
    column = measured.error or ""
    if power < 0:
        raise BadErrorsError(
            f"The errors of {band}, {shown(column)}, are inverse variances ({shown(text)}); map "
            "the column as 'flux_ivar' instead of 'flux_err'.",
            where=column,
            mapping={"flux_ivar": {band: column}},
        )
    raise BadErrorsError(
        f"The errors of {band}, {shown(column)}, are variances ({shown(text)}); upload their "
        "square roots.",
        where=column,
    )


def _mag_source(band: str, measured: Measured, given: _Given) -> BandSource:
    """Source of a magnitude."""
    error = measured.error or ""
    text, error_text = given.columns[measured.column].unit, given.columns[error].unit
    scale = mag_per(text) if text else None
    error_scale = mag_per(error_text) if error_text else None
    offset = given.mapping.mag_offset.get(band)
    origin = UnitSource.ASSUMED if scale is None else UnitSource.FILE
    system = "AB"
    if offset is not None:
        origin, system = UnitSource.MAPPING, f"AB {-offset:+g}"
    elif text and is_vega(text):
        system = "Vega"
    return BandSource(
        band=band,
        column=measured.column,
        error_column=error,
        quantity=Quantity.MAG,
        is_ivar=False,
        unit=f"mag ({system})",
        unit_from=origin,
        scale=scale or 1.0,
        error_scale=error_scale or scale or 1.0,
        offset=offset or 0.0,
    )


def _disagreeing(sources: list[BandSource], given: _Given) -> list[Finding]:
    """Warn where fluxes and magnitudes of one band do not agree."""
    findings: list[Finding] = []
    for source in sources:
        mag_column = given.mags.get(source.band)
        if source.quantity is not Quantity.FLUX or mag_column is None:
            continue
        point = zero_point_between(source.column, mag_column, given.look)
        if point is None:
            continue
        off = -2.5 * np.log10(source.scale) - point
        if abs(off) > SAME_MAGS:
            findings.append(
                warn(
                    FindingCode.PHOTOMETRY_DISAGREES,
                    f"{shown(source.column)} read in {source.unit} is {abs(off):.2f} mag "
                    f"{'fainter' if off > 0 else 'brighter'} than {shown(mag_column)}; check the "
                    "unit.",
                    column=source.column,
                    mapping={"zero_point": {source.band: round(point, 2)}},
                )
            )
    return findings
