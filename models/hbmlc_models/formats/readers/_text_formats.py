"""Text tables that describe their columns: ECSV, SExtractor, IPAC, and CDS or MRT byte by byte."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hbmlc_models.formats.errors import NotATableError
from hbmlc_models.formats.readers._text_fields import split, words
from hbmlc_models.formats.readers._text_plan import Layout, TextColumn, TextPlan

__all__ = ["described_plan"]

_ECSV = re.compile(r"#\s*%ECSV\s")
_DELIMITER = re.compile(r"""^delimiter:\s*(?:'(.)'|"(\\t|.)"|(\S))""", re.MULTILINE)
_SEXTRACTOR = re.compile(r"#\s*(\d{1,5})\s+([^\s#]+)\s*(.*?)\s*(?:\[([^\]]*)\])?\s*$")
_BYTE_BY_BYTE = re.compile(r"\s*byte-by-byte description", re.IGNORECASE)
_CDS_COLUMN = re.compile(
    r"\s*(?:(\d{1,6})\s*-)?\s*(\d{1,6})\s+([A-Z][\w.]*)\s+(\S+)\s+(\S+)(?:\s+(\S.*))?$"
)
_CDS_NULL = re.compile(r"\?=(\S+)")
_RULE = re.compile(r"\s*(-{4,}|={4,})\s*$")
_LONGEST_ENTRY = 1_000
"""Characters of a line that describes a column; the patterns take long on endless ones."""
_NO_UNIT = frozenset({"", "-", "--", "---"})


def described_plan(lines: Sequence[str]) -> TextPlan | None:
    """Plan of a table in one of these formats, ``None`` for another."""
    first = next((line for line in lines if line.strip()), "")
    if _ECSV.match(first):
        return _ecsv(lines)
    if first.startswith(("\\", "|")) and (plan := _ipac(lines)) is not None:
        return plan
    if any(_BYTE_BY_BYTE.match(line) for line in lines):
        return _cds(lines)
    return _sextractor(lines)


def _ecsv(lines: Sequence[str]) -> TextPlan:
    """Names in a line of their own below a header in YAML."""
    from hbmlc_models.formats.readers._astropy_meta import columns_in

    number = next((k for k, line in enumerate(lines) if line.strip() and line[0] != "#"), None)
    if number is None:
        raise NotATableError("The ECSV table has no line with column names; write it again.")
    head = "\n".join(line[1:].removeprefix(" ") for line in lines[:number]) + "\n"
    found = _DELIMITER.search(head)
    separator = next((part for part in found.groups() if part), " ") if found else " "
    separator = "\t" if separator == "\\t" else separator
    described = columns_in(head)
    columns: list[TextColumn] = []
    for name in words(lines[number]) if separator == " " else split(lines[number], separator):
        said = described.get(name)
        column = TextColumn(name=name)
        if said is not None:
            column.unit, column.description = said.unit, said.description
            column.n_elements = said.n_elements
        columns.append(column)
    return TextPlan(
        columns=columns,
        first_row=number + 1,
        layout=Layout.BLANKS if separator == " " else Layout.SEPARATED,
        separator=separator,
    )


def _sextractor(lines: Sequence[str]) -> TextPlan | None:
    """One line for each column, with its number; BPZ writes such lines, too."""
    entries: list[tuple[int, TextColumn]] = []
    first_row = None
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        if not line.startswith("#"):
            first_row = number
            break
        found = _SEXTRACTOR.match(line) if len(line) <= _LONGEST_ENTRY else None
        if found is not None and int(found[1]) > (entries[-1][0] if entries else 0):
            entries.append((int(found[1]), _numbered(found)))
    if first_row is None or not entries or entries[0][0] != 1:
        return None
    n_fields = len(words(lines[first_row]))
    if len(entries) < 2 or entries[-1][0] > n_fields:  # noqa: PLR2004 -- one may be a remark
        return None
    columns: list[TextColumn] = []
    ends = [number for number, _ in entries[1:]] + [n_fields + 1]
    for (number, column), end in zip(entries, ends, strict=True):
        columns.append(column)
        # Apertures of one quantity follow each other without lines of their own.
        columns += [
            TextColumn(name=f"{column.name}_{k}", unit=column.unit, description=column.description)
            for k in range(1, end - number)
        ]
    return TextPlan(columns=columns, first_row=first_row, layout=Layout.BLANKS)


def _numbered(found: re.Match[str]) -> TextColumn:
    unit = (found[4] or "").strip()
    return TextColumn(name=found[2], unit=unit or None, description=found[3] or None)


def _ipac(lines: Sequence[str]) -> TextPlan | None:
    """Names, types, units and nulls between bars, and rows below without bars."""
    head: list[str] = []
    first_row = None
    for number, line in enumerate(lines):
        if line.startswith("|"):
            head.append(line.rstrip())
        elif line.strip() and not line.startswith("\\"):
            first_row = number
            break
    if not head or first_row is None or "|" in lines[first_row]:
        return None
    bars = [place for place, char in enumerate(head[0]) if char == "|"]
    spans = list(zip([bar + 1 for bar in bars], bars[1:], strict=False))
    rows = [line for line in lines[first_row : first_row + 50] if line.strip()]
    is_aligned = all(line[bar : bar + 1] in {"", " "} for line in rows for bar in bars)
    table = [[line[start:end].strip() for start, end in spans] for line in head[:4]]
    names, units, nulls = table[0], _row(table, 2), _row(table, 3)
    columns = [
        TextColumn(
            name=name,
            unit=units[k] if units[k] not in _NO_UNIT else None,
            null=nulls[k] or None,
            span=spans[k],
        )
        for k, name in enumerate(names)
    ]
    if is_aligned:
        return TextPlan(columns=columns, first_row=first_row, layout=Layout.FIXED)
    if any(len(words(line)) != len(columns) for line in rows):
        raise NotATableError(
            "The values of the IPAC table do not stand between the bars of its header; write it "
            "again.",
            where=f"line {first_row + 1}",
        )
    return TextPlan(columns=columns, first_row=first_row, layout=Layout.BLANKS)


def _row(table: Sequence[list[str]], number: int) -> list[str]:
    """One line of the header, blank where it is not there."""
    return table[number] if number < len(table) else [""] * len(table[0])


def _cds(lines: Sequence[str]) -> TextPlan:
    """A table of bytes, formats, units and names; rows follow the last rule."""
    start = next(k for k, line in enumerate(lines) if _BYTE_BY_BYTE.match(line))
    columns: list[TextColumn] = []
    n_rules = 0
    for number in range(start, len(lines)):
        line = lines[number]
        if _RULE.match(line):
            n_rules += 1
        is_entry = n_rules == _ENTRIES and len(line) <= _LONGEST_ENTRY
        found = _CDS_COLUMN.match(line) if is_entry else None
        if found is not None:
            columns.append(_byte_column(found))
        elif n_rules == _ENTRIES and columns and line.strip() and not _RULE.match(line):
            columns[-1].description = f"{columns[-1].description or ''} {line.strip()}".strip()
    last = max((k for k, line in enumerate(lines) if _RULE.match(line)), default=start)
    if not columns or last + 1 >= len(lines):
        raise NotATableError(
            "The text has a byte-by-byte description and no rows below it; upload the file with "
            "the rows, or the table as FITS or CSV."
        )
    return TextPlan(columns=columns, first_row=last + 1, layout=Layout.FIXED)


_ENTRIES = 2
"""Rules above the entries of a byte-by-byte description."""


def _byte_column(found: re.Match[str]) -> TextColumn:
    start, end = int(found[1] or found[2]), int(found[2])
    null = _CDS_NULL.search(found[6] or "")
    return TextColumn(
        name=found[5],
        unit=found[4] if found[4] not in _NO_UNIT else None,
        description=found[6],
        null=null[1].strip("\"'") if null else None,
        span=(max(0, start - 1), end),
    )
