"""A column name cut into words: at separators, at capitals, and where known words are glued."""

from __future__ import annotations

import re
from functools import lru_cache

from hbmlc_models.bands import wavelength
from hbmlc_models.formats.recognise.photometry_words import APERTURES, INSTRUMENTS, UNITS
from hbmlc_models.formats.recognise.word_sets import word_set

__all__ = ["as_band", "words_of"]

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[^A-Za-z0-9+*']+")
_LED_BY_BAND = re.compile(
    r"(FUV|NUV|F\d{3}[WMN]|I[AB]\d{3}|NB\d{3}|J0\d{3})(?=[A-Za-z])", re.IGNORECASE
)
"""Bands of several letters that VizieR writes in front of "mag", whatever the capitals."""
_MAX_GLUED = 24
"""Longest word that is taken apart."""
_GLUED = word_set(
    "mag mags magnitude flux fluxes err error errors sigma sigm sig unc rms std ivar invvar "
    "auto iso isocor aper apers ap model cmodel psf petro kron total tot best gaap sersic ser "
    "templfit mpro fiber dered corrected exp dev mean depth limit lim seeing raw obs "
    "flag flags snr spec phot z ra dec warn warning quality qual helio cmb"
)
"""Words that stand glued to each other, to a band or to both."""
_LETTERS = frozenset("ugrizyUGRIZYBVJHK")
_WHEEL = re.compile(r"^(F\d{3}[WM])N$")
_LOWER = frozenset("bvjhk")
"""Bands of one case only, which people write in the other, too."""
_SPELLINGS = {"ks": "Ks", "kshort": "Ks", "ustar": "u", "u*": "u", "us": "u"}
_SUBARU = re.compile(r"([griz])(?:p|pp|\+|')")
"""Bands of Suprime-Cam and SDSS with a prime: ``ip``, ``zpp``, ``r+``; ``zp`` is a zero point."""
_ROMAN = re.compile(r"[RZYJHKW](062|087|106|129|146|158|184|213)")
"""Bands of the Roman telescope with the letter of the ground."""
_SPLUS = re.compile(r"F(378|395|410|430|515|660|861)")
"""Narrow bands of S-PLUS and J-PLUS as their first releases call them."""
_CUT = {
    "msig": ("sig",),
    "cmsig": ("sig",),
    "msigcom": ("sig",),
    "dflux": ("err", "flux"),
    "dmag": ("err", "mag"),
}
"""Errors of 2MASS, whose magnitudes are called "m", and of unWISE."""
_PREFIXED = frozenset({"mag", "flux", "tot", "corr", "aper", "auto", "iso", "psf"})
"""Quantities whose error is written with an "e" before it."""


def as_band(word: str) -> str | None:
    """Band that a word names by itself; letters keep their case, all else is written as known.

    Examples
    --------
    >>> as_band("w1"), as_band("f115w"), as_band("KS"), as_band("Z"), as_band("image")
    ('W1', 'F115W', 'Ks', 'Z', None)
    """
    if word in _LETTERS or word in _LOWER:
        return word if word in _LETTERS else word.upper()
    if (spelled := _SPELLINGS.get(word.lower())) is not None:
        return spelled
    if word != "zp" and (found := _SUBARU.fullmatch(word)):
        return found[1]
    if found := _SPLUS.fullmatch(word) or _ROMAN.fullmatch(word):
        return f"{'J0' if word[0] == 'F' else 'F'}{found[1]}"
    # grizli writes "f115wn" for the pupil's wheel: the same filter.
    for spelled in (word, _WHEEL.sub(r"\1", word.upper())):
        if len(word) > 1 and wavelength(spelled) is not None:
            return spelled
    return None


@lru_cache(maxsize=16_384)
def words_of(name: str) -> tuple[str, ...]:
    """Words of a column name; known ones in lower case, others as spelled.

    Examples
    --------
    >>> words_of("u_cModelFluxErr"), words_of("gKronMag"), words_of("w1sigmpro")
    (('u', 'cmodel', 'flux', 'err'), ('g', 'kron', 'mag'), ('w1', 'sig', 'mpro'))
    >>> words_of("B_IMAGE"), words_of("MAGERR_AUTO_G"), words_of("dg")
    (('B', 'IMAGE'), ('mag', 'err', 'auto', 'G'), ('d', 'g'))
    """
    words: list[str] = []
    for part in filter(None, _SEPARATORS.split(name)):
        if as_band(part) is not None:
            words.append(part)
            continue
        if part.lower() in INSTRUMENTS or part.lower() in UNITS:
            words.append(part)
            continue
        if part.lower() in APERTURES:
            words.append(part.lower())
            continue
        if led := _LED_BY_BAND.match(part):
            words.append(led[0])
            part = part[led.end() :]  # noqa: PLW2901 -- the rest of it
        for piece in _CAMEL.split(part):
            words.extend(_taken_apart(piece))
    return tuple(_merged(words))


def _merged(words: list[str]) -> list[str]:
    """Join what capitals cut in two: ``c`` + ``model``, ``IRAC`` + ``CH1``."""
    found: list[str] = []
    for word in words:
        if found and found[-1].lower() == "c" and word == "model":
            found[-1] = "cmodel"
        elif found and found[-1].lower() == "irac" and re.fullmatch(r"(?i)(ch)?[1-4]", word):
            found[-1] = f"IRAC{word[-1]}"
        elif word == "m":
            # 2MASS; a capital is an absolute magnitude.
            found.append("mag")
        elif re.fullmatch(r"(?i)ch[1-4]", word):
            found.append(f"IRAC{word[-1]}")
        else:
            found.append(word)
    return found


@lru_cache(maxsize=16_384)
def _taken_apart(word: str) -> tuple[str, ...]:
    """Known words that together are ``word``, with at most one band among them; else itself."""
    if word.lower() in _GLUED or word.lower() in _CUT:
        return _CUT.get(word.lower(), (word.lower(),))
    if as_band(word) is not None or len(word) > _MAX_GLUED:
        return (word,)
    if word[0].lower() == "e" and word[1:].lower() in _PREFIXED:
        return "e", word[1:].lower()
    if len(word) == 2 and word[0] in "de" and as_band(word[1]):  # noqa: PLR2004
        # BPZ and MLZ write the error of g as "dg" or "eg".
        return word[0], word[1]
    found = _segments(word, has_band=False)
    return (word,) if found is None or len(found) == 1 else found


def _segments(word: str, *, has_band: bool) -> tuple[str, ...] | None:
    """``word`` as known words and one band, the longest first; ``None`` where it is not."""
    if not word:
        return ()
    for length in range(len(word), 0, -1):
        head, rest = word[:length], word[length:]
        is_known = head.lower() in _GLUED and length > 1
        # A band in the middle would make words of anything: "i" + "mag" + "e".
        is_band = not has_band and (rest == "" or length <= 5) and as_band(head) is not None  # noqa: PLR2004
        if not is_known and not is_band:
            continue
        tail = _segments(rest, has_band=has_band or not is_known)
        if tail is not None:
            return (head.lower() if is_known else head, *tail)
    if not has_band and word[0] == "e" and len(word) > 2 and as_band(word[1]):  # noqa: PLR2004
        # "eumag" is the error of "umag".
        tail = _segments(word[2:], has_band=True)
        return None if tail is None else ("e", word[1], *tail)
    return None
