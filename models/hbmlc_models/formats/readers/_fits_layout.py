"""Columns of a FITS table as its cards lay them out within a row."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hbmlc_models.formats.errors import NotATableError
from hbmlc_models.formats.readers._fits_headers import FitsUnit

__all__ = ["FitsColumn", "layout"]

_BINARY = re.compile(r"(\d{0,12})([LXBIJKAEDCMPQ])(.*)", re.DOTALL)
_ASCII = re.compile(r"([AIFED])(\d{1,6})(\.\d{1,6})?")
_BYTES = {
    "L": 1,
    "B": 1,
    "I": 2,
    "J": 4,
    "K": 8,
    "A": 1,
    "E": 4,
    "D": 8,
    "C": 8,
    "M": 16,
    "P": 8,
    "Q": 16,
}
_READ = {"L": "i1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
"""Codes of numbers and flags, and how numpy reads them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitsColumn:
    """How to turn the stored bytes of one column into values."""

    name: str
    code: str
    """FITS type letter."""
    is_ascii: bool
    """Whether numbers are written as text."""
    offset: int
    """Byte at which it starts within a row."""
    width: int
    """Bytes in a row."""
    n_elements: int | None
    """Values a row of a vector; ``None`` for one."""
    unit: str | None
    description: str | None
    scale: float
    zero: float
    null: str | None

    @property
    def stored(self) -> object:
        """What numpy reads."""
        if self.is_ascii or self.code == "A":
            return f"S{self.width}"
        kind = _READ[self.code]
        return kind if self.n_elements is None else (kind, (self.n_elements,))


def layout(unit: FitsUnit) -> tuple[list[FitsColumn], int]:
    """Columns that can be read, and the bytes that all take together."""
    columns: list[FitsColumn] = []
    width = 0
    for number in range(1, unit.count("TFIELDS") + 1):
        form = unit.cards.get(f"TFORM{number}", "").strip().upper()
        found = (_binary if unit.is_binary else _ascii)(unit, number, form, width)
        if found is None:
            continue
        column, taken = found
        width = width + taken if unit.is_binary else max(width, taken)
        if column is not None:
            columns.append(column)
    return columns, width


def _binary(
    unit: FitsUnit, number: int, form: str, offset: int
) -> tuple[FitsColumn | None, int] | None:
    """One column of a binary table and the bytes that it takes."""
    parts = _BINARY.fullmatch(form)
    if parts is None:
        raise NotATableError(
            f"Column {number} of the FITS table has no type that FITS knows (TFORM{number}); write "
            "the table again.",
            where=f"TFORM{number}",
        )
    repeat, code = int(parts[1] or 1), parts[2]
    if code == "X":
        return None, -(-repeat // 8)
    width = repeat * _BYTES[code]
    if not width or (code != "A" and code not in _READ):
        return None, width
    elements = None if code == "A" or repeat == 1 else repeat
    return _column(unit, number, code, offset, width, elements, is_ascii=False), width


def _ascii(unit: FitsUnit, number: int, form: str, _: int) -> tuple[FitsColumn | None, int] | None:
    """One column of an ASCII table and the byte after it."""
    parts = _ASCII.fullmatch(form)
    if parts is None or int(parts[2]) == 0:
        return None
    offset, width = max(1, unit.count(f"TBCOL{number}")) - 1, int(parts[2])
    column = _column(unit, number, parts[1], offset, width, None, is_ascii=True)
    return column, offset + width


def _column(
    unit: FitsUnit,
    number: int,
    code: str,
    offset: int,
    width: int,
    n_elements: int | None,
    *,
    is_ascii: bool,
) -> FitsColumn:
    """Column with what the cards say of it; one without a name is called by its number."""
    cards = unit.cards
    return FitsColumn(
        name=cards.get(f"TTYPE{number}", "").strip() or f"col{number}",
        code=code,
        is_ascii=is_ascii,
        offset=offset,
        width=width,
        n_elements=n_elements,
        unit=cards.get(f"TUNIT{number}", "").strip() or None,
        description=cards.get(f"TCOMM{number}", "").strip() or None,
        scale=_number(cards.get(f"TSCAL{number}"), 1.0),
        zero=_number(cards.get(f"TZERO{number}"), 0.0),
        null=cards.get(f"TNULL{number}"),
    )


def _number(text: str | None, default: float) -> float:
    """Value of a card of a scale or an offset."""
    if not text:
        return default
    try:
        return float(text.upper().replace("D", "E"))
    except ValueError as error:
        raise NotATableError(
            "A FITS column is scaled by something that is no number; write the table again."
        ) from error
