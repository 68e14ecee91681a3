"""Photometric bands: which names are known and how they are ordered."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["KNOWN_BANDS", "sort_bands", "wavelength"]

KNOWN_BANDS: dict[str, float] = {
    "FUV": 154.0,
    "NUV": 232.0,
    "U": 360.0,
    "u": 365.0,
    "B": 440.0,
    "g": 480.0,
    "V": 550.0,
    "r": 620.0,
    "R": 650.0,
    "VIS": 720.0,
    "i": 755.0,
    "I": 800.0,
    "z": 875.0,
    "y": 975.0,
    "Y": 1020.0,
    "J": 1250.0,
    "H": 1650.0,
    "K": 2180.0,
    "Ks": 2150.0,
    "W1": 3350.0,
    "IRAC1": 3550.0,
    "IRAC2": 4490.0,
    "W2": 4600.0,
    "IRAC3": 5730.0,
    "IRAC4": 7870.0,
    "W3": 11560.0,
    "W4": 22090.0,
}
"""Typical effective wavelengths [nm]: they order bands, nothing is computed from them."""


_NUMBERED = re.compile(
    r"F(?P<space>\d{3})[WMN]N?|F(?P<roman>062|087|106|129|146|158|184|213)|"
    r"(?:IA|IB|NB|J0?)(?P<narrow>\d{3})|F(?P<miri>\d{4})W"
)
"""Bands that carry their wavelength: of space telescopes, where those of NIRISS may end in
N, and narrow ones of Subaru and J-PLUS."""
_WEBB = frozenset(
    {"F212N", "F250M", "F277W", "F300M", "F323N", "F335M", "F356W", "F360M", "F405N", "F410M"}
    | {"F430M", "F444W", "F460M", "F466N", "F470N", "F480M", "F560W", "F770W"}
)
"""Bands of NIRCam, NIRISS and MIRI whose number is in 10 nm, though Hubble has numbers like it in
nm; F410M is taken for NIRCam's, which is in most of its surveys."""
_LEAST_NANOMETRES = 200
"""Numbers up to this are in 10 nm."""


def wavelength(band: str) -> float | None:
    """Typical effective wavelength [nm] of ``band``, ``None`` where the name is unknown.

    Names of space telescopes and of narrow bands carry their wavelength, ``F606W`` and ``J0378`` in
    nm, ``F115W`` and ``F444W`` in 10 nm.

    Examples
    --------
    >>> wavelength("F606W"), wavelength("F115W"), wavelength("F444W"), wavelength("F1000W")
    (606.0, 1150.0, 4440.0, 10000.0)
    >>> wavelength("IB427"), wavelength("who")
    (427.0, None)
    """
    if band in KNOWN_BANDS:
        return KNOWN_BANDS[band]
    found = _NUMBERED.fullmatch(band)
    if found is None:
        return None
    number = float(found["space"] or found["roman"] or found["narrow"] or found["miri"])
    is_long = band in _WEBB or found["roman"] or found["miri"]
    return 10 * number if is_long or number <= _LEAST_NANOMETRES else number


def sort_bands(bands: Iterable[str]) -> tuple[str, ...]:
    """Bands in order of wavelength; unknown ones last, by name.

    Examples
    --------
    >>> sort_bands(["K", "g", "u", "custom", "r"])
    ('u', 'g', 'r', 'K', 'custom')
    """
    return tuple(sorted(bands, key=lambda band: (wavelength(band) or 1e9, band)))
