"""Text tables: separated, with blanks between fields, or in fixed places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.errors import NotATableError, TooDemandingError
from hbmlc_models.formats.findings import Finding, FindingCode, note, warn
from hbmlc_models.formats.limits import MAX_NAME_BYTES, IngestLimits
from hbmlc_models.formats.readers._arrow import element_of
from hbmlc_models.formats.readers._elements import split_element
from hbmlc_models.formats.readers._names import distinct
from hbmlc_models.formats.readers._table import TableChoice
from hbmlc_models.formats.readers._text_encoding import (
    TextEncoding,
    check_mark,
    decoded,
    encoding_of,
)
from hbmlc_models.formats.readers._text_faults import first_fault
from hbmlc_models.formats.readers._text_formats import described_plan
from hbmlc_models.formats.readers._text_header import header_plan
from hbmlc_models.formats.readers._text_lines import (
    BLOCK_BYTES,
    UNIT,
    blocks,
    n_commented_rows,
)
from hbmlc_models.formats.readers._text_plan import Layout, TextColumn, TextPlan
from hbmlc_models.formats.readers._text_quotes import BREAK
from hbmlc_models.formats.readers._text_shape import number_places

__all__ = ["TextTable"]

_NULLS = [
    "", "NaN", "nan", "NAN", "null", "NULL", "Null", "None", "NA", "N/A", "n/a", "--", "---", "...",
    "masked", "nil", "(null)", "<NA>", "\\N",
]  # fmt: skip
_HEAD_BYTES = 256 * 1024
_MAX_HEAD_BYTES = 8 * 2**20
_ENOUGH_ROWS = 50
_LINE_END = re.compile(r"\r\n|\n|\r")
_COMMA = r"^([-+]?[0-9]*),([0-9]+([eE][-+]?[0-9]+)?)$"


class TextTable:
    """A text table; every field is handed out as text, numbers are parsed by the one who asks."""

    def __init__(self, source: Path, limits: IngestLimits, choice: TableChoice) -> None:
        self._source = source
        self._encoding, self._plan = _planned(source, choice)
        limits.check_columns(len(self._plan.columns))
        _check_names(self._plan.columns)
        self._places, self.doubles = distinct(
            (column.name, place) for place, column in enumerate(self._plan.columns) if column.name
        )
        self.columns = {
            name: self._plan.columns[place].described for name, place in self._places.items()
        }
        self.n_rows: int | None = None
        self.findings = _findings(self._encoding, self._plan)
        if n_rows := n_commented_rows(source, self._plan, self._encoding):
            self.findings.append(_commented(n_rows))

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` as text, in batches."""
        wanted = [split_element(name, self._places) for name in columns]
        places = [self._places[base] for base, _ in wanted]
        try:
            for batch in self._reader(places):
                arrays = [
                    self._finished(batch[str(place)], place, element)
                    for place, (_, element) in zip(places, wanted, strict=True)
                ]
                held = pa.RecordBatch.from_arrays(arrays, names=list(columns))
                for start in range(0, held.num_rows, size):
                    yield held.slice(start, size)
        except pa.ArrowMemoryError as error:
            raise MemoryError("A block of the text table takes more than the memory.") from error
        except (pa.ArrowException, OSError) as error:
            if "Empty CSV file" in str(error) or "Could not skip" in str(error):
                return
            # An incomplete last line is how a cut-off text table shows itself.
            raise first_fault(str(error), self._source, self._plan, self._encoding) from error

    def close(self) -> None:
        """Nothing stays open between calls."""

    def _reader(self, places: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """Rows as Arrow parses them, right from the file where that is as Arrow wants it."""
        plan = self._plan
        is_plain = plan.layout is Layout.SEPARATED and not (
            self._encoding.is_wide
            or self._encoding.is_foreign
            or self._encoding.has_comments
            or self._encoding.has_open_quotes
            or plan.has_loose_ends
            or plan.has_borders
        )
        options = self._options(places)
        if is_plain:
            yield from pacsv.open_csv(
                self._source, read_options=self._read_options(plan.first_row), **options
            )
            return
        # Arrow reads ahead in threads of its own, which may outlive the interpreter where they
        # call back into it: it gets one block at a time.
        for block in blocks(self._source, plan, self._encoding):
            if not block.endswith(b"\n"):
                raise pa.ArrowInvalid("A line is straddling blocks.")
            if block.strip(b"\r\n"):
                read = self._read_options(0, block_bytes=len(block) + 1)
                table = pacsv.read_csv(pa.BufferReader(block), read_options=read, **options)
                yield from table.to_batches()

    def _read_options(self, skip: int, *, block_bytes: int = BLOCK_BYTES) -> pacsv.ReadOptions:
        """Names of the fields, which are their numbers."""
        return pacsv.ReadOptions(
            column_names=[str(place) for place in range(len(self._plan.columns))],
            skip_rows=skip,
            block_size=block_bytes,
        )

    def _options(self, places: Sequence[int]) -> dict[str, Any]:
        """How lines are taken apart, and which fields are wanted."""
        plan = self._plan
        return {
            "parse_options": pacsv.ParseOptions(
                delimiter=plan.separator if plan.layout is Layout.SEPARATED else UNIT,
                quote_char=False if plan.layout is Layout.FIXED else '"',
            ),
            "convert_options": pacsv.ConvertOptions(
                include_columns=[str(place) for place in dict.fromkeys(places)],
                column_types={str(place): pa.string() for place in places},
                null_values=_NULLS,
                strings_can_be_null=True,
            ),
        }

    def _finished(self, values: pa.Array, place: int, element: int | None) -> pa.Array:
        """Values or elements, without blanks around them, own nulls and decimal commas."""
        if self._plan.layout is Layout.SEPARATED and self._encoding.has_blanks:
            values = pc.utf8_trim_whitespace(values)
            values = _nulled(values, _NULLS)
        if self._plan.layout is Layout.SEPARATED and self._encoding.has_open_quotes:
            values = pc.replace_substring(values, BREAK, "\n")
        if element is not None:
            values = _nulled(_element(values, element), _NULLS)
        null = self._plan.columns[place].null
        if null is not None:
            values = _nulled(values, [null])
        if self._plan.is_comma_decimal:
            values = pc.replace_substring_regex(values, _COMMA, r"\1.\2")
        return values


def _nulled(values: pa.Array, nulls: Sequence[str]) -> pa.Array:
    """Values, null where they are one of ``nulls``."""
    is_null = pc.is_in(values, pa.array(nulls, pa.string()))
    return pc.if_else(is_null, pa.scalar(None, pa.string()), values)


def _element(values: pa.Array, element: int) -> pa.Array:
    """One element of each list of numbers in JSON; null where a list is shorter."""
    lists = pc.split_pattern(pc.utf8_trim(values, "[] "), ",")
    return pc.utf8_trim_whitespace(element_of(lists, element))


def _planned(source: Path, choice: TableChoice) -> tuple[TextEncoding, TextPlan]:
    """How the text is written and laid out."""
    with source.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        check_mark(head)
        lines = _lines(head, is_all=len(head) < _HEAD_BYTES)
        if sum(1 for line in lines if line[:1] not in {"#", ""}) < _ENOUGH_ROWS:
            head += file.read(_MAX_HEAD_BYTES - len(head))
            lines = _lines(head, is_all=len(head) < _MAX_HEAD_BYTES)
    plan = described_plan(lines) or header_plan(lines, choice.rank)
    if not plan.columns:
        raise NotATableError("The text has no header line with column names.")
    plan.number_places = number_places(lines, plan)
    return encoding_of(source, head, plan), plan


def _lines(head: bytes, *, is_all: bool) -> list[str]:
    """Lines of the head of a text, without one that is cut."""
    codec = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(head[:2])
    text = head[2:].decode(codec, "replace") if codec else decoded(head.removeprefix(_MARK))
    lines = _LINE_END.split(text)
    return lines if is_all or len(lines) == 1 else lines[:-1]


_MARK = b"\xef\xbb\xbf"


def _check_names(columns: Sequence[TextColumn]) -> None:
    """Raise where a name is endless."""
    longest = max((len(column.name) for column in columns), default=0)
    if longest > MAX_NAME_BYTES:
        raise TooDemandingError(
            f"A column name of the text has {longest:,} characters, the limit is "
            f"{MAX_NAME_BYTES:,}; write a header line with short names."
        )


def _findings(encoding: TextEncoding, plan: TextPlan) -> list[Finding]:
    """Say how the text was read where that is not plain."""
    found: list[Finding] = []
    if encoding.is_wide or encoding.is_foreign:
        name = "UTF-16" if encoding.is_wide else "Windows-1252 (Latin-1) where it is not UTF-8"
        found.append(
            note(
                FindingCode.TEXT_ENCODING,
                f"The text was read as {name}; write UTF-8 where letters look wrong.",
            )
        )
    if plan.is_comma_decimal:
        found.append(
            note(FindingCode.DECIMAL_COMMA, "Numbers were read with a comma before the decimals.")
        )
    return found


def _commented(n_rows: int) -> Finding:
    """Say that rows may have been taken for comments."""
    begin = "A line of the text begins" if n_rows == 1 else f"{n_rows:,} lines of the text begin"
    return warn(
        FindingCode.ROWS_MISSING,
        f"{begin} with # and would be rows without it; they were passed over as comments. Take "
        "the # away where they are galaxies.",
    )
