"""How the field spells the photometry of a band in a column name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from hbmlc_models.bands import wavelength

__all__ = ["DEPTH_WORDS", "SEEING_WORDS", "BandColumn", "Quantity", "parse_band_column"]


class Quantity(StrEnum):
    """What a column measures."""

    MAG = "magnitude"
    FLUX = "flux"
    BARE = "bare"
    """Only the band is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandColumn:
    """A column name that speaks of one band."""

    band: str
    """The band as spelled."""
    quantity: Quantity
    """What is measured."""
    is_error: bool
    """Whether it is the error of that."""
    words: str
    """What remains of the name, lower case: aperture, system, depth…"""
    is_shouted: bool
    """Whether the whole name is in upper case."""


_ERROR = re.compile(r"errors?|err|sigma|uncertainty|unc|rms|std")
_NO_PHOTOMETRY = re.compile(
    r"flag|snr|ratio|abs|ext(inction)?$|ebv|color|colour|ivar|inv|count|nobs|chi|class|prob|"
    r"true|phot(o)?z|corr(ection)?$"
)
DEPTH_WORDS = frozenset({"depth", "m5", "limmag", "maglim", "limitingmag", "5sigma"})
"""Words of a column that holds the 5-sigma depth of a band."""
SEEING_WORDS = frozenset({"seeing", "psffwhm", "fwhm", "psfsize"})
"""Words of a column that holds the seeing in a band."""
_RESERVED = frozenset(
    [
        "err",
        "error",
        "errors",
        "sigma",
        "unc",
        "uncertainty",
        "auto",
        "iso",
        "aper",
        "ap",
        "model",
        "cmodel",
        "psf",
        "petro",
        "kron",
        "total",
        "best",
        "lim",
        "limit",
        "flag",
        "abs",
        "zero",
        "zp",
        "radius",
        "type",
        "corr",
        "cor",
        "dered",
        "tot",
        "app",
        "apparent",
        "max",
        "min",
    ]
)
_VIZIER = re.compile(r"^(?P<error>e_)?(?P<band>[A-Za-z]|Ks|W[1-4]|[FN]UV)mag$")


def parse_band_column(name: str) -> BandColumn | None:
    """Band, quantity and role of a column called ``name``; ``None`` where it names no band.

    Examples
    --------
    >>> column = parse_band_column("u_cModelFluxErr")
    >>> column.band, column.quantity.value, column.is_error, column.words
    ('u', 'flux', True, 'cmodel')
    >>> parse_band_column("redshift") is None
    True
    """
    vizier = _VIZIER.match(name)
    if vizier:
        return BandColumn(
            band=vizier["band"],
            quantity=Quantity.MAG,
            is_error=vizier["error"] is not None,
            words="vizier",
            is_shouted=False,
        )
    parts = [part for part in re.split(r"[_.\s-]+", name) if part]
    place = _band_place(parts)
    if place is None:
        return None
    rest = "".join(parts[:place] + parts[place + 1 :]).lower()
    return _classify(parts[place], rest, is_shouted=name.isupper(), parts=parts)


def _band_place(parts: list[str]) -> int | None:
    """Position of the part that is the band: a known one, else what follows ``mag``, ``flux``."""
    if len(parts) > 6 or not parts:  # noqa: PLR2004 -- no survey spells a band in seven words
        return None
    known = [place for place, part in enumerate(parts) if wavelength(part) or part in "GZ"]
    if known:
        # Two bands make a colour or a ratio, which is no photometry of either.
        return known[0] if len(known) == 1 else None
    kinds = [place for place, part in enumerate(parts) if part.lower() in _KIND_WORDS]
    for place in kinds:
        after = place + 1
        while after < len(parts) and parts[after].lower() in _RESERVED:
            after += 1
        if after < len(parts) and re.fullmatch(r"[^\W\d]\w{0,7}", parts[after]):
            return after
    return None


_KIND_WORDS = {"mag", "flux", "magerr", "fluxerr", "emag", "eflux"}


def _classify(band: str, rest: str, *, is_shouted: bool, parts: list[str]) -> BandColumn | None:
    """Quantity and role from the words besides the band."""
    is_error = bool(_ERROR.search(rest)) or parts[0] == "e" or rest.startswith(("emag", "eflux"))
    words = _ERROR.sub("", rest)
    if is_error and words.startswith("e") and (parts[0] == "e" or words[1:5] in {"mag", "flux"}):
        words = words[1:]
    if words in DEPTH_WORDS | SEEING_WORDS:
        quantity = Quantity.BARE
    elif _NO_PHOTOMETRY.search(words):
        return None
    elif "flux" in words:
        quantity, words = Quantity.FLUX, words.replace("flux", "", 1)
    elif "mag" in words:
        quantity, words = Quantity.MAG, words.replace("mag", "", 1)
    elif not words:
        quantity = Quantity.BARE
    else:
        return None
    return BandColumn(
        band=band, quantity=quantity, is_error=is_error, words=words, is_shouted=is_shouted
    )
