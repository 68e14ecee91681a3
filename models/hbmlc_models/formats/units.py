"""Units of photometry and positions, however they are spelled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hbmlc_models.formats.errors import MappingInvalidError
from hbmlc_models.formats.shown import shown
from hbmlc_models.formats.unit_spellings import plain_unit, stated_zero_point
from hbmlc_models.photometry import AB_ZERO_JANSKY

__all__ = [
    "FluxUnit",
    "degrees_per",
    "flux_unit",
    "is_per_wavelength",
    "is_vega",
    "is_zero_point",
    "mag_per",
    "required_flux_unit",
    "squared_unit",
    "zero_point_unit",
]


@dataclass(frozen=True, slots=True)
class FluxUnit:
    """A unit of flux density."""

    name: str
    """As it is shown and may be mapped."""
    maggies: float
    """One of it [maggies]."""


_KNOWN: Mapping[str, FluxUnit] = {
    unit.name: unit
    for unit in (
        FluxUnit("maggy", 1.0),
        FluxUnit("nanomaggy", 1e-9),
        FluxUnit("Jy", 1 / AB_ZERO_JANSKY),
        FluxUnit("mJy", 1e-3 / AB_ZERO_JANSKY),
        FluxUnit("uJy", 1e-6 / AB_ZERO_JANSKY),
        FluxUnit("nJy", 1e-9 / AB_ZERO_JANSKY),
    )
}
_MAG_WORDS = re.compile(r"\b(m?mag(?:nitudes?)?|abmags?|vegamags?|mag_?ab)\b", re.IGNORECASE)
_VEGA = re.compile(r"vega", re.IGNORECASE)
_PLAIN_MAGS = {
    "mag": 1.0,
    "mags": 1.0,
    "magnitude": 1.0,
    "magnitudes": 1.0,
    "abmag": 1.0,
    "ab": 1.0,
    "mmag": 1e-3,
    "millimag": 1e-3,
}
_ANGLES = {
    "deg": 1.0,
    "degree": 1.0,
    "degrees": 1.0,
    "degr": 1.0,
    "°": 1.0,
    "rad": 57.29577951308232,
    "radian": 57.29577951308232,
    "radians": 57.29577951308232,
    "hour": 15.0,
    "hours": 15.0,
    "hr": 15.0,
    "h": 15.0,
    "hourangle": 15.0,
    "hms": 15.0,
    "h:m:s": 15.0,
    "dms": 1.0,
    "d:m:s": 1.0,
    "arcsec": 1 / 3600,
    "arcmin": 1 / 60,
}
_ZERO_POINT = "zero point"
_MAX_LENGTH = 80
"""Longest text that is taken for a unit."""


@lru_cache(maxsize=512)
def flux_unit(text: str) -> FluxUnit | None:
    """Unit of flux density spelled ``text``; ``None`` where it is none.

    Examples
    --------
    >>> flux_unit("nanomaggies"), round(flux_unit("10^-6 Jy").maggies * 3631e6, 9)
    (FluxUnit(name='nanomaggy', maggies=1e-09), 1.0)
    """
    if (point := stated_zero_point(text)) is not None:
        return zero_point_unit(point)
    if mag_per(text) is not None:
        return None
    spelled = plain_unit(text)
    maggies = _KNOWN[spelled].maggies if spelled in _KNOWN else _maggies(_astropy_unit(spelled))
    return None if maggies is None else _named(text, maggies)


@lru_cache(maxsize=512)
def squared_unit(text: str) -> tuple[FluxUnit, int] | None:
    """Unit of flux density whose square is ``text``, and 2 for variances, -2 for inverse ones.

    Examples
    --------
    >>> squared_unit("1/nanomaggy^2")[0].name, squared_unit("uJy2")[1], squared_unit("uJy")
    ('nanomaggy', 2, None)
    """
    unit = _astropy_unit(plain_unit(text))
    if unit is None:
        return None
    for power in (2, -2):
        maggies = _maggies(unit ** (1 / power))
        if maggies is not None:
            return _named(text, maggies), power
    return None


def _maggies(unit: Any) -> float | None:
    """One of an astropy unit of flux density [maggies]; ``None`` where it is none."""
    if unit is None:
        return None
    import astropy.units as u

    if not isinstance(unit, u.UnitBase):
        # "mag(AB)" can be turned into a flux density, and is none.
        return None
    for base, per in ((u.Jy, 1 / AB_ZERO_JANSKY), (u.Unit("mgy"), 1.0)):
        if unit.is_equivalent(base):
            size: Any = unit.to(base)
            return float(size) * per
    return None


def required_flux_unit(text: str) -> FluxUnit:
    """Unit that a mapping names; raises ``MappingInvalidError`` where it is none."""
    found = flux_unit(text)
    if found is None:
        raise MappingInvalidError(
            f"Unknown flux unit {shown(text)}; write a flux density such as {', '.join(_KNOWN)} "
            "or '1e-29 erg/s/cm2/Hz', or a 'zero_point' [AB mag] for fluxes in counts.",
            where="flux_unit",
        )
    return found


def zero_point_unit(zero_point: float) -> FluxUnit:
    """Unit of fluxes of which a flux of one has that AB magnitude."""
    return FluxUnit(f"{_ZERO_POINT} {zero_point:g}", 10 ** (-0.4 * zero_point))


def is_zero_point(unit: str) -> bool:
    """Whether the name of a unit is that of a zero point, which no mapping takes as a unit."""
    return unit.startswith(_ZERO_POINT)


def is_per_wavelength(text: str) -> bool:
    """Whether a unit is a flux density per wavelength, which needs the filter to be converted."""
    unit = _astropy_unit(plain_unit(text))
    if unit is None:
        return False
    import astropy.units as u

    return unit.is_equivalent(u.Unit("erg / (s cm2 AA)"))


@lru_cache(maxsize=512)
def mag_per(text: str) -> float | None:
    """Magnitudes per unit spelled ``text``, such as 0.001 for mmag; ``None`` where it is none."""
    spelled = plain_unit(text).lower()
    if spelled in _PLAIN_MAGS:
        return _PLAIN_MAGS[spelled]
    found = _MAG_WORDS.search(spelled.replace("(", " ").replace(")", " ").replace("_", " "))
    if found is None:
        return None
    return 1e-3 if found[1].startswith("mm") else 1.0


def is_vega(text: str) -> bool:
    """Whether a unit or a description speaks of the Vega system."""
    return _VEGA.search(text) is not None


@lru_cache(maxsize=64)
def degrees_per(text: str) -> float | None:
    """Degrees per unit of angle spelled ``text``; ``None`` where it is none."""
    spelled = plain_unit(text).strip('"').lower()
    if spelled in _ANGLES:
        return _ANGLES[spelled]
    unit = _astropy_unit(spelled)
    if unit is None:
        return None
    import astropy.units as u

    return float(unit.to(u.deg)) if unit.is_equivalent(u.deg) else None


def _named(text: str, maggies: float) -> FluxUnit:
    """Give the known unit of that size, else one with the name in the file."""
    for unit in _KNOWN.values():
        if abs(maggies / unit.maggies - 1) < 1e-6:  # noqa: PLR2004 -- rounding of constants
            return unit
    return FluxUnit(plain_unit(text), maggies)


def _astropy_unit(text: str) -> Any:
    """Unit as astropy reads it in any of its formats; ``None`` where it does not."""
    if not 0 < len(text) <= _MAX_LENGTH or text.isdigit():
        return None
    import warnings

    import astropy.units as u

    # "10^-6 Jy" and "1e-6 Jy" differ in what the formats take; a power of ten is the common form.
    spelled = re.sub(r"^1(?:\.0*)?[eE]([+-]?\d+)\s*\*?\s*", r"10**(\1) ", text)
    spelled = re.sub(r"^10\s*\^\s*\(?([+-]?\d+)\)?\s*\*?\s*", r"10**(\1) ", spelled)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for style in ("generic", "fits", "vounit", "cds", "ogip"):
            try:
                return u.Unit(spelled, format=style)
            except Exception:  # noqa: BLE001, S112 -- each format has errors of its own
                continue
    return None
