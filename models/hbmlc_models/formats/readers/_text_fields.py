"""Fields of one line of text."""

from __future__ import annotations

import csv
import re
from itertools import chain

from hbmlc_models.formats.errors import NotATableError

__all__ = ["has_decimal_comma", "is_border", "is_number", "is_rule", "split", "words"]

_WORDS = re.compile(r'"((?:[^"]|"")*)"|(\S+)')
_RULE = re.compile(r"[-=+:]{2,}")
_BORDER = re.compile(r"[ \t]*[-+=|][-+=|: \t]*")
_COMMA_NUMBER = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")


def split(line: str, separator: str) -> list[str]:
    """Fields of a line with a separator, without quotes and blanks around them."""
    line = line.strip("\r\n")
    if '"' not in line:
        return [field.strip() for field in line.split(separator)]
    try:
        fields = chain.from_iterable(csv.reader([line], delimiter=separator, skipinitialspace=True))
        return [field.strip() for field in fields]
    except csv.Error as error:
        raise NotATableError(
            "A line of the text cannot be taken apart; write short texts without quotes."
        ) from error


def words(line: str) -> list[str]:
    """Fields of a line with blanks between them, without quotes."""
    if '"' not in line:
        return line.split()
    return [found[1] if found[2] is None else found[2] for found in _WORDS.finditer(line)]


def is_number(text: str) -> bool:
    """Whether ``text`` reads as a number."""
    try:
        float(text.replace(",", ".", 1))
    except ValueError:
        return False
    return text.lower() not in {"nan", "inf"}


def has_decimal_comma(text: str) -> bool:
    """Whether ``text`` is a number with a decimal comma."""
    return _COMMA_NUMBER.fullmatch(text) is not None


def is_border(line: str) -> bool:
    """Whether a line only draws the border of a table."""
    return _BORDER.fullmatch(line) is not None and ("--" in line or "==" in line)


def is_rule(fields: list[str]) -> bool:
    """Whether a line only underlines the header."""
    shown = [field for field in fields if field]
    return bool(shown) and all(_RULE.fullmatch(field) for field in shown)
