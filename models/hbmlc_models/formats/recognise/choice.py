"""Choice among the families of a table: the one with most bands, and what joins it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hbmlc_models.bands import sort_bands
from hbmlc_models.formats.findings import Finding, FindingCode, note, warn
from hbmlc_models.formats.look import Look
from hbmlc_models.formats.normalise import NON_DETECTION
from hbmlc_models.formats.readers import SourceColumn
from hbmlc_models.formats.recognise.band_names import Quantity
from hbmlc_models.formats.recognise.families import Family, Measured, preference
from hbmlc_models.formats.shown import shown
from hbmlc_models.formats.units import flux_unit, mag_per

__all__ = ["choose", "missing_errors", "settle_quantities"]

_MIN_BARE = 2
"""Bands that columns without a word for their quantity need: one alone is mostly a redshift."""
_MAG_SPREAD = 3.0
"""Magnitudes spread by less than this ratio of the 95th to the 5th percentile; fluxes by more."""
_MAG_RANGE = (8.0, 35.0)
"""Magnitudes of galaxies, from the brightest in the sky to beyond the deepest field."""
_NOT_DETECTED = (90.0, 99.0, 99.9, 99.99, 999.0, 9999.0)
"""Magnitudes that say so."""
_NEVER_JOINED = frozenset({"psf", "fiber", "fibertot", "win"})
"""Kinds that hold no colours of galaxies: never joined to others."""


def settle_quantities(
    families: list[Family], columns: Mapping[str, SourceColumn], look: Look
) -> tuple[list[Family], list[Finding]]:
    """Say of bare families whether they hold magnitudes or fluxes, and drop what is no band.

    Units decide, else the numbers: magnitudes of a survey lie within a factor of three, fluxes
    spread over decades, and a column with values of redshifts is none of both.
    """
    found: list[Family] = []
    single: list[Family] = []
    findings: list[Finding] = []
    for family in families:
        kept, dropped = _without_redshifts(family, look)
        findings += dropped
        quantity = _quantity(kept, columns, look)
        # Two columns of pixels, "y" and "z" with their errors, are no fluxes.
        least = _MIN_BARE if quantity is Quantity.MAG else _MIN_BARE + 1
        if family.quantity is Quantity.BARE and len(kept.complete) < least:
            if kept.complete and quantity is Quantity.MAG:
                single.append(replace(kept, quantity=quantity))
            continue
        if family.quantity is Quantity.MAG and quantity is Quantity.FLUX:
            findings.append(_named_otherwise(kept, columns))
        if kept.bands:
            found.append(replace(kept, quantity=quantity))
    # A table of one band has nothing else; beside others one letter is mostly no band.
    return found or single, findings


def _named_otherwise(family: Family, columns: Mapping[str, SourceColumn]) -> Finding:
    """Warn of columns that are called magnitudes and have the unit of fluxes."""
    column = next(iter(family.bands.values())).column
    return warn(
        FindingCode.UNIT_OVERRIDDEN,
        f"The column {shown(column)} is called a magnitude, and its unit in the file is "
        f"{shown(columns[column].unit or '')}: it is read as a flux.",
        column=column,
    )


def _without_redshifts(family: Family, look: Look) -> tuple[Family, list[Finding]]:
    """Family without columns whose values are those of redshifts, and not of its other bands."""
    if family.quantity is Quantity.FLUX:
        return family, []
    is_mag = {band: _looks_like_mags(look, found.column) for band, found in family.bands.items()}
    if not any(is_mag.values()):
        return family, []
    wrong = [
        band
        for band, found in family.bands.items()
        if is_mag[band] is False and _looks_like_redshifts(look, found.column)
    ]
    findings = [
        note(
            FindingCode.NOT_A_BAND,
            f"The column {shown(family.bands[band].column)} is no band: its values are those of "
            "redshifts.",
            column=family.bands[band].column,
        )
        for band in wrong
    ]
    return family.only(set(family.bands) - set(wrong)), findings


def _looks_like_redshifts(look: Look, column: str) -> bool:
    values = look.values(column)
    return len(values) > 0 and bool(np.quantile(values, 0.95) < 7.0)  # noqa: PLR2004 -- redshift


def _looks_like_mags(look: Look, column: str) -> bool | None:
    """Whether the values are those of magnitudes; ``None`` where there are none."""
    values = look.values(column)
    values = values[(values > 0) & ~np.isin(values, _NOT_DETECTED)]
    if not len(values):
        return None
    low, high = np.quantile(values, [0.05, 0.95])
    return bool(low > _MAG_RANGE[0] and high < _MAG_RANGE[1] and high < _MAG_SPREAD * low)


def _quantity(family: Family, columns: Mapping[str, SourceColumn], look: Look) -> Quantity:
    """What a family measures: as its units say, else its name, else its numbers."""
    units = [columns[found.column].unit for found in family.bands.values()]
    is_flux = any(unit and flux_unit(unit) for unit in units)
    if is_flux and not (family.quantity is Quantity.MAG and _are_mags(family, look)):
        return Quantity.FLUX
    if family.quantity is not Quantity.BARE:
        return family.quantity
    if any(unit and mag_per(unit) for unit in units):
        return Quantity.MAG
    return Quantity.MAG if _are_mags(family, look) else Quantity.FLUX


def _are_mags(family: Family, look: Look) -> bool:
    """Whether the numbers of most bands are those of magnitudes; so they are without numbers."""
    votes = [_looks_like_mags(look, found.column) for found in family.bands.values()]
    known = [vote for vote in votes if vote is not None]
    return sum(known) >= len(known) / 2


def choose(
    families: list[Family], look: Look, columns: Mapping[str, SourceColumn]
) -> tuple[dict[str, tuple[Family, Measured]], list[Finding]]:
    """Columns of each band, from the best family and those that add bands to it."""
    joined, findings = _joined_instruments(families, look)
    ranked = sorted(joined, key=lambda family: _rank(family, look, columns))
    best = ranked[0]
    chosen = {band: (best, best.bands[band]) for band in sort_bands(best.bands)}
    added: list[Family] = []
    for other in ranked[1:]:
        new = [band for band in other.complete if band not in chosen]
        if new and _may_join(other, best):
            added.append(other.only(new))
            chosen |= {band: (other, other.bands[band]) for band in new}
    findings += _said(best, added, ranked) + _empty_in_better(best, ranked, look)
    return {band: chosen[band] for band in sort_bands(chosen)}, findings


def _joined_instruments(families: list[Family], look: Look) -> tuple[list[Family], list[Finding]]:
    """Families of several instruments as one where they measure alike."""
    groups: dict[tuple[Quantity, tuple[str, ...]], list[Family]] = {}
    for family in families:
        groups.setdefault((family.quantity, family.aperture), []).append(family)
    joined: list[Family] = []
    findings: list[Finding] = []
    for group in groups.values():
        useful = [family for family in group if family.complete]
        if len(useful) < 2:  # noqa: PLR2004 -- nothing to join
            joined.extend(group)
            continue
        useful.sort(key=lambda family: (-len(family.complete), family.name))
        whole = replace(useful[0], bands={})
        for family in useful:
            for band in family.complete:
                found = family.bands[band]
                other = whole.bands.get(band)
                if other is None:
                    whole.bands[band] = found
                    continue
                better, worse = _better(other, found, look)
                whole.bands[band] = better
                findings.append(_twice(family.quantity, band, better, worse))
        whole.instrument = ()
        joined.append(whole)
        names = list(dict.fromkeys(" ".join(f.instrument) or "the rest" for f in useful))
        if len(names) > 1:
            said = f"{whole.name} columns of {', '.join(names)} are used together"
            findings.append(note(FindingCode.FAMILIES_JOINED, said))
    return joined, findings


def _better(one: Measured, other: Measured, look: Look) -> tuple[Measured, Measured]:
    """The one with more signal: values times their signal-to-noise where both have some."""
    return (one, other) if _signal(one, look) >= _signal(other, look) else (other, one)


def _signal(found: Measured, look: Look) -> float:
    values, errors = look.pairs(found.column, found.error or "")
    is_mag = _looks_like_mags(look, found.column) is True
    is_usable = errors > 0
    if is_mag:
        is_usable &= np.abs(values) < NON_DETECTION
    if not is_usable.any():
        return 0.0
    # Of magnitudes the inverse error is the signal-to-noise, of fluxes the ratio.
    ratio = 1 / errors[is_usable]
    if not is_mag:
        ratio = np.abs(values[is_usable]) * (np.sqrt(errors[is_usable]) if found.is_ivar else ratio)
    return float(is_usable.mean() * np.median(ratio))


def _twice(quantity: Quantity, band: str, better: Measured, worse: Measured) -> Finding:
    kind = "mag" if quantity is Quantity.MAG else "flux"
    error = "flux_ivar" if worse.is_ivar else f"{kind}_err"
    mapping = {kind: {band: worse.column}}
    if worse.error is not None:
        mapping[error] = {band: worse.error}
    return note(
        FindingCode.BAND_TWICE,
        f"The band {band} is there twice: {shown(better.column)} is taken, with the higher "
        f"signal-to-noise; {shown(worse.column)} is not.",
        column=worse.column,
        mapping=mapping,
    )


def _may_join(other: Family, best: Family) -> bool:
    """Whether the bands of one family may stand beside those of another kind."""
    if not _NEVER_JOINED.isdisjoint(other.aperture) and other.aperture != best.aperture:
        return False
    return not other.is_dereddened or best.is_dereddened


def _rank(
    family: Family, look: Look, columns: Mapping[str, SourceColumn]
) -> tuple[int, int, int, int, int, str]:
    """Sorting key: most usable bands, most bands, the kind of aperture, fluxes that have a unit."""
    usable = sum(1 for band in family.complete if look.has_values(family.bands[band].column))
    has_unit = any(columns[found.column].unit for found in family.bands.values())
    is_flux = family.quantity is Quantity.FLUX
    return (
        -usable,
        -len(family.bands),
        1 if family.is_dereddened else 0,
        preference(family.aperture),
        0 if is_flux and has_unit else 1,
        f"{0 if is_flux else 1}{family.name}",
    )


def _said(best: Family, added: list[Family], ranked: list[Family]) -> list[Finding]:
    """What the caller hears about families that are used and that are not."""
    findings = [
        note(
            FindingCode.FAMILIES_JOINED,
            f"{', '.join(family.complete)} come from {family.name}, the other bands from "
            f"{best.name}",
        )
        for family in added
    ]
    used = {id(best)} | {id(family) for family in added}
    others = [f for f in ranked if id(f) not in used and f.complete and not f.is_dereddened]
    names = sorted(_with_new_bands(family, best, added) for family in others)
    if names:
        findings.append(
            note(
                FindingCode.OTHER_PHOTOMETRY,
                f"photometry taken from {best.name}; also present: {', '.join(names[:12])}",
            )
        )
    findings += [_dereddened(family) for family in ranked if _is_left_dereddened(family, best)]
    return findings


def _with_new_bands(family: Family, best: Family, added: list[Family]) -> str:
    """Name of a family that is not used, and the bands that go with it."""
    used = set(best.bands).union(*(other.bands for other in added))
    new = [band for band in family.complete if band not in used]
    return f"{family.name} (with {', '.join(new)})" if new else family.name


def _empty_in_better(best: Family, ranked: list[Family], look: Look) -> list[Finding]:
    """Name the empty bands for which photometry of a better kind was left."""
    findings: list[Finding] = []
    for family in ranked:
        if family.is_dereddened or preference(family.aperture) > preference(best.aperture):
            continue
        empty = [b for b in family.complete if not look.has_values(family.bands[b].column)]
        if not empty or family is best or len(family.complete) < len(best.complete):
            continue
        columns = [family.bands[band].column for band in empty]
        findings.append(
            warn(
                FindingCode.BAND_EMPTY,
                f"The {family.name} is empty in {', '.join(empty)} ({', '.join(columns[:4])}), so "
                f"photometry is taken from {best.name}",
                column=columns[0],
            )
        )
    return findings[:1]


def _is_left_dereddened(family: Family, best: Family) -> bool:
    return family.is_dereddened and family is not best and len(family.bands) > 0


def _dereddened(family: Family) -> Finding:
    """Point to columns that are corrected for the dust of the Milky Way."""
    kind = "mag" if family.quantity is Quantity.MAG else "flux"
    values = {band: found.column for band, found in family.bands.items()}
    errors = {b: f.error for b, f in family.bands.items() if f.error and not f.is_ivar}
    first = next(iter(values.values()))
    return note(
        FindingCode.DEREDDENED_NOT_TAKEN,
        f"There are columns corrected for Galactic dust ({shown(first)} …) that are not taken; map "
        "them where labels and target sample lie behind different amounts of it.",
        column=first,
        mapping={kind: values, f"{kind}_err": errors} if errors else {kind: values},
    )


def missing_errors(chosen: Mapping[str, tuple[Family, Measured]]) -> list[Finding]:
    """Warn of bands whose values come without errors."""
    return [
        warn(
            FindingCode.BAND_WITHOUT_ERRORS,
            f"bands without an error column are not used: {band} ({shown(found.column)}); add "
            "one-sigma errors",
            column=found.column,
        )
        for band, (_, found) in chosen.items()
        if found.error is None
    ]
