"""A look at the headers of a FITS file before a library takes them apart.

A header ends with its END card and a file with its last unit; neither has to come. What is declared
is added up here block by block, so that nobody gathers a header of gigabytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from hbmlc_models.formats.errors import TooDemandingError, TruncatedFileError
from hbmlc_models.formats.limits import MAX_FITS_HEADER_BLOCKS, MAX_FITS_UNITS

__all__ = ["check_headers"]

_BLOCK = 2_880
_CARD = 80
_MAX_AXES = 999
_LONGEST = 2**62
"""More bytes than any disk has."""


def check_headers(source: Path) -> None:
    """Raise unless the headers up to the first binary table are whole and of bounded length."""
    size = source.stat().st_size
    with source.open("rb") as file:
        for _ in range(MAX_FITS_UNITS):
            cards = _read_header(file)
            if cards.get("XTENSION", "").strip("' ") == "BINTABLE" or file.tell() >= size:
                return
            skip = _data_bytes(cards)
            if file.tell() + skip >= size:
                return
            file.seek(-(-skip // _BLOCK) * _BLOCK, os.SEEK_CUR)
            if file.tell() >= size:
                return
    raise TooDemandingError(
        f"None of the first {MAX_FITS_UNITS:,} units of the FITS file is a binary table; write the "
        "catalogue as its first extension."
    )


def _read_header(file: IO[bytes]) -> dict[str, str]:
    """Values of the structural cards of the next header."""
    cards: dict[str, str] = {}
    for _ in range(MAX_FITS_HEADER_BLOCKS):
        block = file.read(_BLOCK)
        if len(block) < _BLOCK:
            raise TruncatedFileError("A FITS header breaks off; upload the file again in full.")
        for start in range(0, _BLOCK, _CARD):
            keyword = block[start : start + 8].decode("ascii", "replace").rstrip()
            if keyword == "END":
                return cards
            if keyword in _STRUCTURE or keyword.startswith("NAXIS"):
                value = block[start + 10 : start + _CARD].decode("ascii", "replace")
                cards[keyword] = value.split("/")[0].strip()
    raise TooDemandingError(
        f"A FITS header has more than {MAX_FITS_HEADER_BLOCKS * _BLOCK:,} bytes; write fewer cards."
    )


_STRUCTURE = frozenset({"XTENSION", "BITPIX", "PCOUNT", "GCOUNT"})


def _data_bytes(cards: dict[str, str]) -> int:
    """Bytes of the data that follow a header."""
    try:
        n_axes = min(int(cards.get("NAXIS", "0")), _MAX_AXES)
        n_values = 1 if n_axes else 0
        for axis in range(1, n_axes + 1):
            n_values = min(n_values * int(cards[f"NAXIS{axis}"]), _LONGEST)
        per_value = abs(int(cards.get("BITPIX", "8"))) // 8
        groups = int(cards.get("GCOUNT", "1")) * (int(cards.get("PCOUNT", "0")) + n_values)
    except (KeyError, ValueError) as error:
        raise TruncatedFileError(
            "A FITS header does not say how long its data are; write the file again."
        ) from error
    if not 0 <= groups * per_value <= _LONGEST:
        raise TruncatedFileError("A FITS header says an impossible length; write the file again.")
    return groups * per_value
