"""What the rows of a text table look like, to tell a row from a text or a comment."""

from __future__ import annotations

from collections.abc import Sequence

from hbmlc_models.formats.errors import NotATableError
from hbmlc_models.formats.readers._text_fields import is_number, split, words
from hbmlc_models.formats.readers._text_plan import Layout, TextPlan

__all__ = ["is_commented_row", "is_row_like", "number_places"]

_SAMPLE = 40
"""Rows by which the columns of numbers are told."""
_NOTHING = frozenset({"", "nan", "null", "none", "na", "n/a", "--", "---", "...", "\\n"})


def number_places(lines: Sequence[str], plan: TextPlan) -> frozenset[int]:
    """Places of the columns that hold numbers in most of the first rows."""
    rows = [line for line in lines[plan.first_row : plan.first_row + _SAMPLE] if line.strip()]
    fields = [held for held in (_fields(line, plan) for line in rows) if _fits(held, plan)]
    return frozenset(
        place
        for place in range(len(plan.columns))
        if 2 * sum(is_number(held[place].lstrip("#")) for held in fields) > len(fields)
    )


def is_row_like(line: str, plan: TextPlan) -> bool:
    """Whether a line has as many fields as the rows, and numbers where they have numbers.

    Separators are counted within quotes, too: it is not known where a text in quotes begins.
    """
    found = [_fields(line, plan)]
    if plan.layout is Layout.SEPARATED and '"' in line:
        found.append([field.strip(' "\r') for field in line.split(plan.separator)])
    return any(_fits(fields, plan) and _has_numbers(fields, plan) for fields in found)


def is_commented_row(line: str, plan: TextPlan) -> bool:
    """Whether a line that begins like a comment is shaped like a row, with two numbers at least."""
    fields = _fields(line.lstrip(" \t#"), plan)
    if not _fits(fields, plan) or not _has_numbers(fields, plan):
        return False
    return sum(is_number(fields[place]) for place in plan.number_places) >= _LEAST_NUMBERS


_LEAST_NUMBERS = 2


def _fields(line: str, plan: TextPlan) -> list[str]:
    """Fields of a line, none of one that cannot be taken apart."""
    try:
        return words(line) if plan.layout is Layout.BLANKS else split(line, plan.separator)
    except NotATableError:
        return []


def _fits(fields: Sequence[str], plan: TextPlan) -> bool:
    """Whether there are as many fields as columns; a last separator may be too many."""
    n_columns = len(plan.columns)
    return len(fields) == n_columns or (len(fields) == n_columns + 1 and not fields[-1])


def _has_numbers(fields: Sequence[str], plan: TextPlan) -> bool:
    """Whether more than half of the columns of numbers hold one, or nothing."""
    shown = [fields[place] for place in plan.number_places]
    n_numbers = sum(is_number(field) or field.lower() in _NOTHING for field in shown)
    return 2 * n_numbers > len(shown) or not shown
