"""The complete mapping: what was given, what was guessed besides, and what stays empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from hbmlc_models.formats.findings import Finding, FindingCode, warn
from hbmlc_models.formats.look import Look
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.recognise.band_names import Quantity, parse_band_column
from hbmlc_models.formats.recognise.identity import first_of, positions_in, tile_of
from hbmlc_models.formats.recognise.redshifts import find_redshifts, unused_quality
from hbmlc_models.formats.recognise.sources import BandSource
from hbmlc_models.formats.recognise.words import EXTRAS, ID, SELECTED
from hbmlc_models.formats.shown import shown
from hbmlc_models.formats.units import is_zero_point

__all__ = ["completed", "with_photometry"]


def completed(
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
    ra, dec = positions_in(free)
    mapping = replace(
        given,
        id=None if "id" in given.off else given.id or first_of(free, ID),
        tile=guessed("tile", tile_of(free)),
        ra=guessed("ra", ra),
        dec=guessed("dec", dec),
        z_spec=None if "z_spec" in given.off else z_spec,
        selected=guessed("selected", first_of(free, SELECTED)),
        extras={name: column for name, column in sorted(extras.items()) if column not in taken},
    )
    return with_photometry(mapping, sources), findings


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


def with_photometry(mapping: ColumnMapping, sources: tuple[BandSource, ...]) -> ColumnMapping:
    """The mapping with the bands that are used, and ``off`` what is not."""
    mags = [source for source in sources if source.quantity is Quantity.MAG]
    fluxes = [source for source in sources if source.quantity is Quantity.FLUX]
    unit, zero_point = _scales(fluxes)
    found = replace(
        mapping,
        mag={source.band: source.column for source in mags},
        mag_err={source.band: source.error_column for source in mags},
        flux={source.band: source.column for source in fluxes},
        flux_err={s.band: s.error_column for s in fluxes if not s.is_ivar},
        flux_ivar={s.band: s.error_column for s in fluxes if s.is_ivar},
        flux_unit=unit,
        zero_point=zero_point,
        mag_offset={s.band: s.offset for s in mags if s.band in mapping.mag_offset},
    )
    names = ("id", "tile", "ra", "dec", "z_spec", "selected", "extras")
    return replace(found, off=frozenset(name for name in names if not getattr(found, name)))


def _scales(
    fluxes: list[BandSource],
) -> tuple[str | dict[str, str] | None, float | dict[str, float] | None]:
    """Unit of fluxes, or their zero points where one has no unit: one for all, or by band."""
    if any(is_zero_point(source.unit) for source in fluxes):
        points = {s.band: round(float(-2.5 * np.log10(s.scale)), 6) for s in fluxes}
        return None, _one_or_all(points)
    return _one_or_all({source.band: source.unit for source in fluxes}), None


_Value = TypeVar("_Value", str, float)


def _one_or_all(by_band: dict[str, _Value]) -> _Value | dict[str, _Value] | None:
    """The one value where all bands have the same."""
    values = set(by_band.values())
    return next(iter(values)) if len(values) == 1 else by_band or None


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
