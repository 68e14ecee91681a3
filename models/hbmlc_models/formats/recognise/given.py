"""Photometry that the caller named: all of it, or parts beside what is guessed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from hbmlc_models.bands import sort_bands
from hbmlc_models.formats.errors import MappingInvalidError
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.recognise.band_names import Quantity
from hbmlc_models.formats.recognise.families import Family, Measured

__all__ = ["given_photometry", "with_given_errors", "without_errors_off"]

_OF_FLUXES = ("flux_err", "flux_ivar")


def without_errors_off(families: list[Family], off: Collection[str]) -> list[Family]:
    """Families without the kinds of errors that the mapping switches off."""
    found: list[Family] = []
    for family in families:
        kinds = ("mag_err", "mag_err") if family.quantity is Quantity.MAG else _OF_FLUXES
        bands = {
            band: replace(measured, error=None) if kinds[measured.is_ivar] in off else measured
            for band, measured in family.bands.items()
        }
        found.append(replace(family, bands=bands))
    return found


def given_photometry(
    given: ColumnMapping, families: list[Family]
) -> dict[str, tuple[Family, Measured]] | None:
    """Columns by band of a mapping that names values; ``None`` where it names none.

    Errors that it leaves out are those that the names of the values call for.
    """
    if not given.mag and not given.flux:
        return None
    known = {
        found.column: found.error
        for family in families
        for found in family.bands.values()
        if found.error is not None and not found.is_ivar
    }
    found: dict[str, tuple[Family, Measured]] = {}
    for quantity, values, errors in (
        (Quantity.MAG, given.mag, given.mag_err),
        (Quantity.FLUX, given.flux, given.flux_err),
    ):
        family = Family(quantity=quantity, aperture=(), instrument=())
        for band, column in values.items():
            ivar = given.flux_ivar.get(band) if quantity is Quantity.FLUX else None
            error = ivar or errors.get(band) or known.get(column)
            family.bands[band] = Measured(column=column, error=error, is_ivar=ivar is not None)
            found[band] = family, family.bands[band]
    return {band: found[band] for band in sort_bands(found)}


def with_given_errors(
    chosen: dict[str, tuple[Family, Measured]], given: ColumnMapping
) -> dict[str, tuple[Family, Measured]]:
    """Chosen columns with the errors that the mapping names for them.

    Raises
    ------
    MappingInvalidError
        There is an error of a band that has no values.
    """
    found = dict(chosen)
    for kind, errors in (
        ("mag_err", given.mag_err),
        ("flux_err", given.flux_err),
        ("flux_ivar", given.flux_ivar),
    ):
        for band, column in errors.items():
            if band not in found:
                raise MappingInvalidError(
                    f"{kind!r} names an error of the band {band!r}, which has no values; there are "
                    f"{', '.join(found)}.",
                    where=kind,
                )
            family, measured = found[band]
            found[band] = family, replace(measured, error=column, is_ivar=kind == "flux_ivar")
    return found
