"""What a column name says of the photometry in one band."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from hbmlc_models.formats.recognise.name_words import as_band, words_of
from hbmlc_models.formats.recognise.photometry_words import (
    APERTURES,
    DEREDDENED,
    INSTRUMENTS,
    LINES,
    NO_PHOTOMETRY,
    UNITS,
)

__all__ = ["DEPTH_WORDS", "SEEING_WORDS", "BandColumn", "Quantity", "Role", "parse_band_column"]


class Quantity(StrEnum):
    """What a column measures."""

    MAG = "magnitude"
    FLUX = "flux"
    BARE = "bare"
    """Only the band is named, perhaps with an aperture."""
    DEPTH = "depth"
    SEEING = "seeing"


class Role(StrEnum):
    """Which part of a measurement a column holds."""

    VALUE = "value"
    ERROR = "error"
    IVAR = "inverse variance"


@dataclass(frozen=True, slots=True, kw_only=True)
class BandColumn:
    """A column name that speaks of one band."""

    band: str
    """The band; single letters in the case of the name."""
    quantity: Quantity
    """What is measured."""
    role: Role
    """Which part of it."""
    aperture: tuple[str, ...]
    """How it was measured, lower case, in order."""
    instrument: tuple[str, ...]
    """With what it was measured, lower case."""
    is_dereddened: bool
    """Whether the name says that the dust of the Milky Way is taken out."""
    unit: str | None = None
    """Unit that is part of the name."""


DEPTH_WORDS = frozenset({"depth", "m5", "limmag", "maglim", "limitingmag", "5sigma"})
"""Words of a column that holds the 5-sigma depth of a band."""
SEEING_WORDS = frozenset({"seeing", "psffwhm", "fwhm", "psfsize"})
"""Words of a column that holds the seeing in a band."""
_ERROR = frozenset(
    {"err", "error", "errors", "sigma", "sigm", "sig", "uncertainty", "unc", "rms", "std", "ef"}
)
_IVAR = frozenset({"ivar", "invvar"})
_MAG = frozenset({"mag", "mags", "magnitude", "mpro"})
_FLUX = frozenset({"flux", "fluxes", "fnu"})
_QUANTITIES = _MAG | _FLUX | {"f"}
_MAX_WORDS = 9
_NUMBERED = re.compile(r"[a-z]{0,6}\d[\dp.]*[a-z]{0,6}")
"""An aperture by number: ``ap12``, ``gaap1p0``, ``3arcsec``."""
_PASS = re.compile(r"[ugrizy]\d")
"""One of several passes in a band, such as the two of KiDS in i."""
_NEW_BAND = re.compile(r"[^\W\d]\w{0,7}")
"""What may be the name of a band that nobody knows yet."""


@lru_cache(maxsize=16_384)
def parse_band_column(name: str) -> BandColumn | None:
    """Band, quantity and role of a column called ``name``; ``None`` where it names no band.

    Examples
    --------
    >>> column = parse_band_column("u_cModelFluxErr")
    >>> column.band, column.quantity.value, column.role.value, column.aperture
    ('u', 'flux', 'error', ('cmodel',))
    >>> parse_band_column("redshift") is None, parse_band_column("H_alpha_flux") is None
    (True, True)
    """
    words = words_of(name)
    if not 0 < len(words) <= _MAX_WORDS:
        return None
    place = _band_place(words)
    if place is None:
        return None
    band = as_band(words[place]) or words[place]
    before = [word.lower() for word in words[:place]]
    after = [word.lower() for word in words[place + 1 :]]
    return _extra(band, before, after) or _photometry(band, before, after)


def _band_place(words: tuple[str, ...]) -> int | None:
    """Position of the word that is the band: a known one, else what follows ``mag``, ``flux``."""
    known = [place for place, word in enumerate(words) if as_band(word)]
    lowered = [word.lower() for word in words]
    if "vis" in lowered and known == [lowered.index("vis")]:
        return known[0]
    if len(known) > 1:
        # An instrument may share its name with a band, and a letter may be an error's or a flag's.
        known = [place for place in known if lowered[place] not in INSTRUMENTS]
    if known:
        # Two bands make a colour or a ratio, which is no photometry of either.
        return known[0] if len(known) == 1 else None
    for place, word in enumerate(lowered):
        if word in _MAG | _FLUX or (word == "f" and place == 0):
            return _place_after(words, place)
    return None


def _place_after(words: tuple[str, ...], place: int) -> int | None:
    """Position of an unknown band after the word for a quantity."""
    known = APERTURES | DEREDDENED | _ERROR | _IVAR | NO_PHOTOMETRY | INSTRUMENTS | LINES
    known |= {"max", "min", "radius", "scale", "unit", "id", "e", "d"} | _QUANTITIES
    for at in range(place + 1, len(words)):
        word = words[at].lower()
        if word in known or (_is_aperture(word) and not _PASS.fullmatch(word)):
            continue
        return at if _NEW_BAND.fullmatch(words[at]) else None
    return None


def _extra(band: str, before: list[str], after: list[str]) -> BandColumn | None:
    """Depth or seeing of a band."""
    rest = "".join(before + after)
    for words, quantity in ((DEPTH_WORDS, Quantity.DEPTH), (SEEING_WORDS, Quantity.SEEING)):
        if rest in words:
            return BandColumn(
                band=band,
                quantity=quantity,
                role=Role.VALUE,
                aperture=(),
                instrument=(),
                is_dereddened=False,
            )
    return None


def _photometry(band: str, before: list[str], after: list[str]) -> BandColumn | None:
    """Quantity and role from the words before and after the band."""
    if after[:1] == ["1"] and after[1:]:
        # The first of two epochs of UKIDSS in J.
        after = after[1:]
    words = before + after
    if not NO_PHOTOMETRY.isdisjoint(words) or not LINES.isdisjoint(words):
        return None
    is_ivar = not _IVAR.isdisjoint(words)
    is_error = not _ERROR.isdisjoint(words) or words[:1] in (["e"], ["d"]) or "e" in words
    units = [UNITS[word] for word in words if word in UNITS]
    words = [word for word in words if word not in UNITS]
    quantity = Quantity.FLUX if units else _quantity(before, words, is_error=is_error)
    used = _ERROR | _IVAR | (_QUANTITIES - {"mpro"}) | {"e"}
    if words[:1] == ["d"]:
        words = words[1:]
    rest = [word for word in words if word not in used]
    aperture = tuple(w for w in rest if w not in INSTRUMENTS and not _leads(w, before))
    if quantity is Quantity.BARE and not all(map(_is_plain, rest)):
        return None
    return BandColumn(
        band=band,
        quantity=quantity,
        role=Role.IVAR if is_ivar else Role.ERROR if is_error else Role.VALUE,
        aperture=aperture,
        instrument=tuple(w for w in rest if w in INSTRUMENTS or _leads(w, before)),
        is_dereddened=not DEREDDENED.isdisjoint(rest),
        unit=next(iter(units), None),
    )


def _quantity(before: list[str], words: list[str], *, is_error: bool) -> Quantity:
    """What is measured, as far as the words say."""
    # "kronflux_mag" of HSC is the magnitude of a flux.
    if not _MAG.isdisjoint(words):
        return Quantity.MAG
    if not _FLUX.isdisjoint(words) or "ef" in words:
        return Quantity.FLUX
    if before[:1] == ["f"] and not is_error:
        return Quantity.FLUX
    return Quantity.BARE


def _leads(word: str, before: list[str]) -> bool:
    """Whether an unknown word stands before the band, where surveys put their instrument."""
    return word in before and not _is_plain(word)


def _is_plain(word: str) -> bool:
    """Whether a word says how something was measured, and not what."""
    return word in APERTURES or word in DEREDDENED or word in INSTRUMENTS or _is_aperture(word)


def _is_aperture(word: str) -> bool:
    return _NUMBERED.fullmatch(word) is not None
