"""The headers of a FITS file: where its tables are, and the cards that describe them.

A header ends with its END card and a file with its last unit; neither has to come. What is declared
is added up here block by block, so that nobody gathers a header of gigabytes.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hbmlc_models.formats.errors import TooDemandingError, TruncatedFileError
from hbmlc_models.formats.limits import (
    MAX_FITS_HEADER_BLOCKS,
    MAX_FITS_TABLES,
    MAX_FITS_UNITS,
)

__all__ = ["FitsUnit", "table_units"]

_BLOCK = 2_880
_CARD = 80
_MAX_AXES = 999
_LONGEST = 2**62
"""More bytes than any disk has."""
_WANTED = re.compile(
    r"(XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|EXTNAME|ZTABLE|TFIELDS"
    r"|T(TYPE|FORM|UNIT|NULL|SCAL|ZERO|BCOL|COMM)\d{1,4})"
)
_TABLES = frozenset({"BINTABLE", "TABLE"})
_QUOTED = re.compile(r"\s*'((?:[^']|'')*)'")
_LONG_STRING = "&"
"""A text that ends with it goes on in the next card."""
_LONGEST_TEXT = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class FitsUnit:
    """One table extension."""

    number: int
    """As the file counts: the primary unit is 0."""
    cards: dict[str, str]
    """Values of the cards that describe a table, without quotes."""
    offset: int
    """Byte at which its rows start."""

    @property
    def is_binary(self) -> bool:
        """Whether its rows are binary, not text."""
        return self.cards["XTENSION"] == "BINTABLE"

    def count(self, keyword: str) -> int:
        """Value of a card that is a number, zero or more."""
        try:
            found = int(self.cards[keyword])
        except (KeyError, ValueError) as error:
            raise TruncatedFileError(
                "The FITS headers cannot be read; write the file again.", where=keyword
            ) from error
        if not 0 <= found <= _LONGEST:
            raise TruncatedFileError(
                "A FITS header says an impossible length; write the file again.", where=keyword
            )
        return found


def table_units(source: Path) -> list[FitsUnit]:
    """Return the table extensions, in file order, whose headers are whole and of bounded length."""
    size = source.stat().st_size
    found: list[FitsUnit] = []
    with source.open("rb") as file:
        for number in range(MAX_FITS_UNITS):
            if number and not _goes_on(file, size):
                return found
            cards = _read_header(file)
            if cards.get("XTENSION") in _TABLES and cards.get("ZTABLE", "F") != "T":
                found.append(FitsUnit(number=number, cards=cards, offset=file.tell()))
            skip = _data_bytes(cards)
            if len(found) == MAX_FITS_TABLES or file.tell() + skip >= size:
                return found
            file.seek(-(-skip // _BLOCK) * _BLOCK, os.SEEK_CUR)
    if found:
        return found
    raise TooDemandingError(
        f"None of the first {MAX_FITS_UNITS:,} units of the FITS file is a table; write the "
        "catalogue as its first extension."
    )


def _goes_on(file: IO[bytes], size: int) -> bool:
    """Whether another extension starts here; anything may follow the last one."""
    start = file.tell()
    if start >= size:
        return False
    keyword = file.read(8)
    file.seek(start)
    return keyword == b"XTENSION"


def _read_header(file: IO[bytes]) -> dict[str, str]:
    """Values of the wanted cards of the next header."""
    cards: dict[str, str] = {}
    last: str | None = None
    for _ in range(MAX_FITS_HEADER_BLOCKS):
        block = file.read(_BLOCK)
        if len(block) < _BLOCK:
            raise TruncatedFileError("A FITS header breaks off; upload the file again in full.")
        for start in range(0, _BLOCK, _CARD):
            card = block[start : start + _CARD].decode("utf-8", "replace")
            keyword = card[:8].rstrip()
            if keyword == "END":
                return cards
            if keyword == "CONTINUE" and last is not None:
                _go_on(cards, last, card[8:])
            elif _WANTED.fullmatch(keyword):
                cards[keyword] = _value(card[10:])
                last = keyword
            elif keyword != "CONTINUE":
                last = None
    raise TooDemandingError(
        f"A FITS header has more than {MAX_FITS_HEADER_BLOCKS * _BLOCK:,} bytes; write fewer cards."
    )


def _value(text: str) -> str:
    """Value of a card: a text without its quotes, or what stands before the comment."""
    quoted = _QUOTED.match(text)
    if quoted is not None:
        return quoted[1].replace("''", "'").rstrip()
    return text.split("/", maxsplit=1)[0].strip()


def _go_on(cards: dict[str, str], keyword: str, text: str) -> None:
    """Add a card that continues the text of another."""
    held = cards[keyword]
    if held.endswith(_LONG_STRING) and len(held) < _LONGEST_TEXT:
        cards[keyword] = held[:-1] + _value(text)


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
