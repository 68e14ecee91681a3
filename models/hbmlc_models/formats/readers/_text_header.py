"""The header of a plain text table: which line names the columns, and what divides the fields."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from hbmlc_models.formats.errors import NotATableError
from hbmlc_models.formats.readers._text_divider import Divider, divider_of, even_divider
from hbmlc_models.formats.readers._text_fields import (
    has_decimal_comma,
    is_border,
    is_number,
    is_rule,
)
from hbmlc_models.formats.readers._text_plan import Layout, TextColumn, TextPlan
from hbmlc_models.formats.shown import MAX_NAME

__all__ = ["header_plan"]

_SAMPLE = 40
"""Lines by which a layout is judged."""
_NEAREST = 500
"""Comments above the first row among which the names are looked for."""
_LONGEST_UNIT = 64
_DECIMAL = re.compile(r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+")
_UNIT_WORD = re.compile(
    r"[\[(].*[\])]|-+|(?:[munμµk]?(?:Jy|mag|maggies|as)|nanomagg\w+|deg\w*|rad|arcsec|hours?|"
    r"mmag|erg\S*|W/.*|10[-+^*]\S*|ct\S*|adu\S*|e-\S*|km/s|pix\w*|none|unitless|AB)(?:\W.*)?",
    re.IGNORECASE,
)
_IN_NAME = re.compile(r".*\s*[\[(]([^\[\]()]*(?:Jy|mag|erg|deg)[^\[\]()]*)[\])]")
_VIZIER = re.compile(r"#Column\t([^\t]+)\t[^\t]*\t([^\t]*)")
_OTHER_COMMENTS = ("%", "!", "//")
"""What else comments begin with above the first row."""
_EXCEL = re.compile(r"sep=.", re.IGNORECASE)
"""How Excel notes the separator above the header."""
_TYPES = re.compile(
    r"\d*[NS]|u?int\d*|float\d*|long|short|double|real|char|text|str(?:ing)?|bool(?:ean)?|object",
    re.IGNORECASE,
)
"""What stands below the names where types are written down: RDB has widths, number or string."""
_NAME = re.compile(r"(?!(?:nan|null|none|inf|masked|n/?a)$)[A-Za-z_]\w{0,99}", re.IGNORECASE)
_LEAST_NAMES = 2
"""Words over columns of numbers that make a line with numbers a header."""
_LEAST_NUMBERS = 2
"""Fields with numbers that a row has."""
_MOST_TITLES = 5
_LEAST_LINES = 3
"""A title, a header and a row."""
_NUMBERED = re.compile(r"\d+:(.+)")
_Rank = Callable[[Collection[str]], tuple[int, ...]]


def header_plan(lines: Sequence[str], rank: _Rank) -> TextPlan:
    """Plan of a table whose columns are named in one line, plain or as a comment."""
    comments: list[str] = []
    plain: list[tuple[int, str]] = []
    for number, line in enumerate(lines):
        bare = line.strip()
        if bare.startswith("#") or (not plain and bare.startswith(_OTHER_COMMENTS)):
            if not plain:
                comments.append(line)
        elif bare and (plain or not (is_border(line) or _EXCEL.fullmatch(bare))):
            plain.append((number, line))
            if len(plain) == _SAMPLE:
                break
    if not plain:
        raise NotATableError("The text has no header line with column names.")
    has_hash_rows = len(plain) == 1 and _add_hash_rows(plain, lines)
    plain = _below_titles(plain, rank)
    take = divider_of([line for _, line in plain if not is_border(line)])
    rows = [(number, take.fields(line)) for number, line in plain]
    plan = _plan(rows, comments, take, rank)
    plan.comments = comments
    plan.has_hash_rows = has_hash_rows
    plan.has_borders = any(map(is_border, lines[: plan.first_row]))
    _describe(plan)
    return plan


def _add_hash_rows(plain: list[tuple[int, str]], lines: Sequence[str]) -> bool:
    """Whether all rows below a header begin like comments, as with ids like #1; add them then."""
    number, header = plain[0]
    take = divider_of([header])
    names = take.fields(header)
    found: list[tuple[int, str]] = []
    for k in range(number + 1, len(lines)):
        bare = lines[k].strip()
        fields = take.fields(bare.lstrip("#")) if bare and not bare[1:2].isspace() else []
        if len(fields) == len(names) and sum(map(is_number, fields)) >= _LEAST_NUMBERS:
            found.append((k, lines[k]))
            if len(found) == _SAMPLE:
                break
    if not any(map(is_number, names)):
        plain += found
    return len(plain) > 1


def _below_titles(plain: list[tuple[int, str]], rank: _Rank) -> list[tuple[int, str]]:
    """Lines from the header on, without titles above it: their names are worth less."""
    shown = [(number, line) for number, line in plain if not is_border(line)]
    lines = [line for _, line in shown]
    if len(lines) < _LEAST_LINES:
        return plain
    even = even_divider(lines)
    worth: dict[int, tuple[int, ...]] = {}
    for k in range(1, min(_MOST_TITLES + 1, len(lines) - 1)):
        if (take := even or even_divider(lines[k:])) is None:
            continue
        title, *rows = [take.fields(line) for line in (lines[0], *lines[k:])]
        n_numbers = sum(map(is_number, rows[0]))
        if n_numbers * 2 > len([field for field in rows[0] if field]):
            break
        # Where the first line fits the others, only better names make it a title.
        least, found = rank(title), rank(rows[0])
        is_better = found > least or (even is None and found == least)
        if is_better and not n_numbers and len(rows[0]) == _usual(rows):
            worth[k] = found
    if not worth:
        return plain
    best = max(worth, key=lambda k: (worth[k], -k))
    return [(number, line) for number, line in plain if number >= shown[best][0]]


def _plan(
    rows: Sequence[tuple[int, list[str]]], comments: Sequence[str], take: Divider, rank: _Rank
) -> TextPlan:
    """Names, and the line from which on there are rows."""
    number, first = rows[0]
    data = rows
    units: list[str] | None = None
    if any(map(is_number, first)) and not _names_numbers(first, rows[1:]):
        names, units = _commented(comments, data, take, rank, number)
    else:
        names = first
        data, units = _below(names, rows[1:])
    first_row = data[0][0] if data else rows[-1][0] + 1
    columns, is_loose = _columns(names, [fields for _, fields in data])
    for column, unit in zip(columns, units or [], strict=False):
        bare = unit.strip("[]() ")
        column.unit = bare if bare.strip("-") else None
    values = [field for _, fields in data for field in fields]
    return TextPlan(
        columns=columns,
        first_row=first_row,
        layout=take.layout,
        separator=take.separator,
        is_comma_decimal=_has_decimal_commas(values, is_divided_by_commas=take.separator == ","),
        has_loose_ends=is_loose and take.layout is Layout.SEPARATED,
    )


def _names_numbers(first: list[str], rows: Sequence[tuple[int, list[str]]]) -> bool:
    """Whether a line with numbers names columns all the same: below its words are numbers."""
    below = [fields for _, fields in rows if len(fields) == len(first)]
    if len(below) < len(rows) or not below:
        return False
    words = [place for place, field in enumerate(first) if _NAME.fullmatch(field)]
    over_numbers = [
        place for place in words if all(not f[place] or is_number(f[place]) for f in below)
    ]
    return len(over_numbers) >= _LEAST_NAMES


def _has_decimal_commas(values: Sequence[str], *, is_divided_by_commas: bool) -> bool:
    """Whether numbers have decimal commas, and none has a point.

    Between commas they stand in quotes, where three digits may be thousands.
    """
    if any(map(_DECIMAL.fullmatch, values)):
        return False
    found = [value for value in values if has_decimal_comma(value)]
    if is_divided_by_commas:
        found = [value for value in found if not _THOUSANDS.fullmatch(value)]
    return bool(found)


def _commented(
    comments: Sequence[str],
    rows: Sequence[tuple[int, list[str]]],
    take: Divider,
    rank: _Rank,
    number: int,
) -> tuple[list[str], list[str] | None]:
    """Names, and perhaps units, from the comments above rows of numbers."""
    n_fields = _usual([fields for _, fields in rows])
    trailing = all(not fields[-1] for _, fields in rows)
    wanted = {n_fields, n_fields - 1} if trailing else {n_fields}
    found: list[list[str]] = []
    for comment in comments[-_NEAREST:]:
        text = comment.lstrip("#%!/ \t")
        for divider in (take, Divider(""), Divider(",")):
            fields = divider.fields(text)
            if len(fields) in wanted and not any(map(is_number, fields)) and len(fields) > 1:
                found.append(fields)
                break
    named = [fields for fields in found if not _looks_like_units(fields)] or found
    if not named:
        raise NotATableError(
            f"The first row of the text holds numbers in {n_fields} fields, and no line above it "
            "names as many columns; put a line with the column names above it.",
            where=f"line {number + 1}",
        )
    names = max(enumerate(named), key=lambda entry: (rank(entry[1]), entry[0]))[1]
    units = next((f for f in found if f is not names and _looks_like_units(f)), None)
    numbered = [_NUMBERED.fullmatch(name) for name in names]
    return [name[1] if name else names[k] for k, name in enumerate(numbered)], units


def _below(
    names: list[str], rows: Sequence[tuple[int, list[str]]]
) -> tuple[Sequence[tuple[int, list[str]]], list[str] | None]:
    """Rows below a header, and the units where a line of them comes first."""
    for place in (0, 1):
        if len(rows) > place and is_rule(rows[place][1]):
            # Within a row that goes on in the next lines it is a text.
            if place and any(map(is_number, rows[0][1])):
                break
            return rows[place + 1 :], rows[0][1] if place else None
    if rows and all(_TYPES.fullmatch(field) for field in rows[0][1]):
        return rows[1:], None
    if len(rows) > 1 and _is_unit_row(names, rows[0][1], rows[1][1]):
        return rows[1:], rows[0][1]
    return rows, None


def _is_unit_row(names: list[str], first: list[str], second: list[str]) -> bool:
    """Whether a line holds units: where it has words, the next one has numbers."""
    if len(first) != len(second) or any(map(is_number, first)):
        return False
    both = [(a, b) for a, b in zip(first, second, strict=True) if a and b]
    numbers = [a for a, b in both if is_number(b)]
    return (
        bool(numbers)
        and _looks_like_units(numbers)
        and len(both) * 2 >= len(numbers)
        and first != names
    )


def _looks_like_units(fields: Sequence[str]) -> bool:
    shown = [field for field in fields if field]
    return bool(shown) and all(
        len(field) <= _LONGEST_UNIT and _UNIT_WORD.fullmatch(field) for field in shown
    )


def _usual(rows: Sequence[list[str]]) -> int:
    """Number of fields that most rows have."""
    return Counter(map(len, rows)).most_common(1)[0][0]


def _columns(names: list[str], rows: Sequence[list[str]]) -> tuple[list[TextColumn], bool]:
    """Columns as wide as the rows, and whether some rows end with a separator too many."""
    columns = [TextColumn(name=name, unit=_unit_in(name)) for name in names]
    if not rows:
        return columns, False
    counts = Counter(map(len, rows))
    n_names = len(names)
    if not names[-1] and set(counts) == {n_names - 1}:
        return columns[:-1], False
    longer = [fields for fields in rows if len(fields) == n_names + 1]
    if longer and all(not fields[-1] for fields in longer):
        if len(longer) == len(rows):
            return [*columns, TextColumn(name="")], False
        return columns, True
    return columns, False


def _unit_in(name: str) -> str | None:
    """Unit that a name carries in brackets."""
    # The pattern takes long on an endless name.
    found = _IN_NAME.fullmatch(name) if len(name) <= MAX_NAME else None
    return found[1].strip() if found else None


def _describe(plan: TextPlan) -> None:
    """Add what VizieR writes of each column."""
    said: dict[str, str] = {}
    for comment in plan.comments:
        if (found := _VIZIER.match(comment)) is not None:
            said[found[1].strip()] = found[2].strip()
    for column in plan.columns:
        column.description = said.get(column.name) or column.description
