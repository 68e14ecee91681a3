"""Guess of the column mapping from column names and units.

Photometry is read by *tokens*: a name is cut at underscores, one token is the band, the others
say what kind of quantity it is. Columns that differ only in the band and in being an error form a
*family* (``mag_g``/``mag_err_g``, ``u_cModelFlux``/``u_cModelFluxErr``); the family that covers
most bands wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hbmlc_models.bands import sort_bands
from hbmlc_models.formats._band_names import (
    DEPTH_WORDS,
    SEEING_WORDS,
    BandColumn,
    Quantity,
    parse_band_column,
)
from hbmlc_models.formats._column_words import (
    DEC,
    EXTRAS,
    ID,
    PREFERRED,
    RA,
    SELECTED,
    TILE,
    Z_SPEC,
)
from hbmlc_models.formats.errors import MixedPhotometryError, NoBandRecognisedError
from hbmlc_models.formats.mapping import ColumnMapping, FluxUnit
from hbmlc_models.formats.shown import listed

__all__ = ["Guess", "guess_mapping"]


@dataclass(slots=True)
class Guess:
    """What the names of the columns suggest."""

    mapping: ColumnMapping
    """Suggested columns."""
    warnings: list[str] = field(default_factory=list[str])
    """Choices that the caller may want to check."""
    is_tile_guessed: bool = False
    """Whether the tile column was guessed: such a one may be dropped later on."""


@dataclass(slots=True)
class _Family:
    """Columns that differ only in band and in being an error."""

    name: str
    quantity: Quantity
    values: dict[str, str] = field(default_factory=dict[str, str])
    errors: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def complete(self) -> tuple[str, ...]:
        """Bands with both a value and an error."""
        return sort_bands(band for band in self.values if band in self.errors)


def guess_mapping(units: Mapping[str, str | None], given: ColumnMapping | None = None) -> Guess:
    """Mapping of the columns in ``units`` (name to unit or ``None``); ``given`` overrides.

    Raises
    ------
    NoBandRecognisedError
        No name looks like a magnitude or a flux; the message shows the first names.
    MixedPhotometryError
        Some bands are given as magnitudes only and others as fluxes only.
    """
    given = given or ColumnMapping()
    lowered = {name.lower(): name for name in reversed(list(units))}
    guess = Guess(mapping=given)
    tile = _first(lowered, TILE)
    guess.is_tile_guessed = given.tile is None and tile is not None
    photometry = _explicit(given) or _guess_photometry(units, guess)
    extras = _guess_extras(lowered) | dict(given.extras)
    taken = {*photometry.values.values(), *photometry.errors.values()}
    guess.mapping = ColumnMapping(
        id=given.id or _first(lowered, ID),
        tile=given.tile or tile,
        ra=given.ra or _first(lowered, RA),
        dec=given.dec or _first(lowered, DEC),
        z_spec=given.z_spec or _first(lowered, Z_SPEC),
        selected=given.selected or _first(lowered, SELECTED),
        extras={name: column for name, column in sorted(extras.items()) if column not in taken},
        **_photometry_fields(photometry, given, units),
    )
    return guess


def _photometry_fields(
    family: _Family, given: ColumnMapping, units: Mapping[str, str | None]
) -> dict[str, Any]:
    """Fields of the mapping that hold the photometry."""
    bands = sort_bands(family.values)
    values = {band: family.values[band] for band in bands}
    errors = {band: family.errors[band] for band in bands if band in family.errors}
    if family.quantity is Quantity.MAG:
        return {"mag": values, "mag_err": errors}
    unit = given.flux_unit or _flux_unit(values, units)
    return {"flux": values, "flux_err": errors, "flux_unit": unit}


def _flux_unit(values: Mapping[str, str], units: Mapping[str, str | None]) -> FluxUnit:
    """Unit that the columns carry, nJy (the Rubin convention) where they carry none."""
    for column in values.values():
        unit = units.get(column)
        if unit:
            return FluxUnit.parse(unit)
    return FluxUnit.NANOJANSKY


def _first(lowered: Mapping[str, str], names: list[str]) -> str | None:
    """Column whose lower-case name comes first in ``names``."""
    return next((lowered[name] for name in names if name in lowered), None)


def _explicit(given: ColumnMapping) -> _Family | None:
    """Photometry that the caller named, ``None`` where none was."""
    if given.mag and given.flux:
        raise MixedPhotometryError(
            "The mapping names both magnitudes and fluxes; give every band in one of the two."
        )
    if given.mag:
        return _Family("given", Quantity.MAG, dict(given.mag), dict(given.mag_err))
    if given.flux:
        return _Family("given", Quantity.FLUX, dict(given.flux), dict(given.flux_err))
    return None


def _guess_photometry(units: Mapping[str, str | None], guess: Guess) -> _Family:
    """Family of columns that covers most bands."""
    families = _families(units)
    if not families:
        raise NoBandRecognisedError(
            f"None of {len(units)} columns names a band (first: {listed(units, 5)}); name them "
            "like mag_g and mag_err_g, or map them yourself."
        )
    ranked = sorted(families, key=_rank)
    best = ranked[0]
    for other in ranked[1:]:
        if other.quantity is not best.quantity and not set(other.complete) <= set(best.complete):
            raise MixedPhotometryError(
                f"{best.quantity} columns cover {', '.join(best.complete)}, {other.quantity} "
                f"columns cover {', '.join(other.complete)}; map every band as one of the two.",
                where=other.values[other.complete[0]],
            )
    if len(ranked) > 1:
        shown = ", ".join(sorted(family.name for family in ranked[1:] if family.complete))
        if shown:
            guess.warnings.append(f"photometry taken from {best.name}; also present: {shown}")
    return best


def _families(names: Mapping[str, str | None]) -> list[_Family]:
    """Families among the columns, bare band names only where several bands come with errors."""
    found: dict[tuple[Quantity, str], _Family] = {}
    parsed = [(name, parse_band_column(name)) for name in names]
    bands = {column.band for _, column in parsed if column}
    for name, column in parsed:
        if column is None or column.words in DEPTH_WORDS | SEEING_WORDS:
            continue
        band = _cased(column, bands)
        key = (column.quantity, column.words)
        label = f"{column.words or 'plain'} {column.quantity}"
        family = found.setdefault(key, _Family(label, column.quantity))
        (family.errors if column.is_error else family.values).setdefault(band, name)
    bare = found.pop((Quantity.BARE, ""), None)
    if bare and len(bare.complete) > 2:  # noqa: PLR2004 -- fewer may be "z" and "z_err", a redshift
        bare.quantity = Quantity.MAG
        found[Quantity.MAG, "bare"] = bare
    plausible = [family for (kind, _), family in found.items() if kind is not Quantity.BARE]
    return [family for family in plausible if family.values]


def _cased(column: BandColumn, bands: set[str]) -> str:
    """Band name in the usual case: an all upper-case table writes ugrizy as ``U``, ``G``, ``R``."""
    is_johnson = bool(bands & {"B", "V"}) or any(band in bands for band in "ugri")
    if column.is_shouted and column.band in set("UGRIZY") and not is_johnson:
        return column.band.lower()
    return column.band


def _rank(family: _Family) -> tuple[int, int, int, str]:
    """Sorting key: most bands first, then fluxes, then by the kind of aperture."""
    words = family.name.split()[0].replace("plain", "")
    known = (place for place, word in enumerate(PREFERRED) if word and words.startswith(word))
    place = next(known, PREFERRED.index("") if not words else len(PREFERRED))
    return (
        -len(family.complete),
        -len(family.values),
        0 if family.quantity is Quantity.FLUX else 1,
        f"{place:02d}{family.name}",
    )


def _guess_extras(lowered: Mapping[str, str]) -> dict[str, str]:
    """Extra columns: morphology, environment, depth and seeing by band."""
    extras: dict[str, str] = {}
    for extra, names in EXTRAS.items():
        column = _first(lowered, names.split())
        if column is not None:
            extras[extra] = column
    for name in lowered.values():
        parsed = parse_band_column(name)
        if parsed is None or parsed.is_error:
            continue
        if parsed.words in DEPTH_WORDS:
            extras.setdefault(f"depth_{parsed.band}", name)
        elif parsed.words in SEEING_WORDS:
            extras.setdefault(f"seeing_{parsed.band}", name)
    return extras
