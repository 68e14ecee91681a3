"""How people spell units, and how ``astropy.units`` wants them spelled."""

from __future__ import annotations

import re

__all__ = ["plain_unit", "stated_zero_point"]

_JANSKY = re.compile(
    r"(?<![a-z])(?:(nano|micro|milli|mu|[num])[\s_-]*)?(?:janskys?|janskies|jy)(?![a-z])",
    re.IGNORECASE,
)
_MAGGY = re.compile(
    r"(?<![a-z])(?:(nano|micro|[nu])[\s_-]*)?(?:mgys?|maggy?s?|maggies?)(?![a-z])", re.IGNORECASE
)
_PREFIXES = {"nano": "n", "micro": "u", "mu": "u", "milli": "m"}
_AB = re.compile(r"[\s(\[]*\bAB\b[)\]]*")
_WITH_PLACE = re.compile(r"[^()\[\]]*[a-z][^()\[\]]*[(\[]([^()\[\]]+)[)\]]\s*", re.IGNORECASE)
"""Words with the unit in brackets behind them, such as "flux density (uJy)"."""
_QUANTITY = re.compile(r"flux|densit|f_?nu", re.IGNORECASE)
_ANGSTROM = re.compile(r"(?<![A-Za-z])(?:Å|A|[Aa]ngstroms?|ANGSTROMS?)(?![A-Za-z])")
_ZERO_POINT = re.compile(
    r"(?:AB|ZP|zero[\s_-]?point)(?:\s*\(?AB\)?)?\s*[=:]?\s*(\d{2}(?:\.\d+)?)(?:\s*mag)?(?:\s*AB)?",
    re.IGNORECASE,
)


def plain_unit(text: str) -> str:
    r"""Unit without quotes, brackets and LaTeX, in the words that ``astropy.units`` knows.

    Examples
    --------
    >>> plain_unit("$\\mu$Jy"), plain_unit("micro-Jansky"), plain_unit("flux density (uJy)")
    ('uJy', 'uJy', 'uJy')
    >>> plain_unit("AB nanomaggies"), plain_unit("10^{-9} maggies"), plain_unit("MJy")
    ('nmgy', '10^-9 mgy', 'MJy')
    """
    spelled = text.strip().strip("'\"").replace("\\mu", "u").replace("μ", "u").replace("µ", "u")
    spelled = re.sub(r"[${}\\~]", "", spelled).strip()
    if spelled.startswith(("[", "(")) and spelled.endswith(("]", ")")):
        spelled = spelled[1:-1].strip()
    if (inner := _WITH_PLACE.fullmatch(spelled)) and _QUANTITY.search(spelled[: inner.start(1)]):
        spelled = inner[1].strip()
    spelled = re.sub(r"^[x×*]\s*(?=\d)", "", spelled)
    spelled = _MAGGY.sub(_maggy, _JANSKY.sub(_jansky, spelled))
    if "Jy" in spelled or "mgy" in spelled:
        spelled = _AB.sub(" ", spelled).strip()
    if "erg" in spelled.lower():
        spelled = _ANGSTROM.sub("AA", re.sub(r"\bergs\b", "erg", spelled))
    return spelled


def stated_zero_point(text: str) -> float | None:
    """AB magnitude of a flux of one, where a unit says that; ``None`` where it does not.

    Examples
    --------
    >>> stated_zero_point("AB=25"), stated_zero_point("ZP = 23.9 mag"), stated_zero_point("uJy")
    (25.0, 23.9, None)
    """
    found = _ZERO_POINT.fullmatch(text.strip().strip("[]()'\""))
    return None if found is None else float(found[1])


def _jansky(found: re.Match[str]) -> str:
    prefix = found[1] or ""
    if prefix == "M":
        # Mega or, shouted, milli: a factor of 10^9 is not guessed.
        return found[0]
    return f"{_PREFIXES.get(prefix.lower(), prefix.lower())}Jy"


def _maggy(found: re.Match[str]) -> str:
    prefix = (found[1] or "").lower()
    return f"{_PREFIXES.get(prefix, prefix)}mgy"
