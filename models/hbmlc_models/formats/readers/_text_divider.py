"""What divides the fields of a plain text table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hbmlc_models.formats.errors import NotATableError
from hbmlc_models.formats.readers._text_fields import split, words
from hbmlc_models.formats.readers._text_plan import Layout

__all__ = ["Divider", "divider_of", "even_divider"]

_SEPARATORS = "\t;|,"
"""In this order: where semicolons divide, commas are decimal commas or text."""
_ALIKE = 0.8
"""Share of the lines that must have the same number of fields."""


class Divider:
    """What divides the fields: a character, or blanks."""

    def __init__(self, separator: str) -> None:
        self.separator = separator
        self.layout = Layout.SEPARATED if separator else Layout.BLANKS

    def fields(self, line: str) -> list[str]:
        """Fields of a line."""
        return split(line, self.separator) if self.separator else words(line)


def divider_of(lines: Sequence[str]) -> Divider:
    """What gives all lines the same number of fields, and more than one."""
    if (divider := even_divider(lines)) is not None:
        return divider
    best = max(_SEPARATORS, key=lines[0].count)
    if best in lines[0]:
        return Divider(best)
    if len(words(lines[0])) > 1:
        return Divider("")
    raise NotATableError(
        "The text has no header line with more than one column name; put commas between them."
    )


def even_divider(lines: Sequence[str]) -> Divider | None:
    """What gives nearly all lines, the first one among them, the same number of fields."""
    for separator in (*_SEPARATORS, ""):
        divider = Divider(separator)
        counts = [len(divider.fields(line)) for line in lines]
        common, n = Counter(counts).most_common(1)[0]
        is_alike = n >= _ALIKE * len(counts) or set(counts) <= {common, common + 1, common - 1}
        if min(common, counts[0]) > 1 and is_alike and abs(counts[0] - common) <= 1:
            return divider
    return None
