"""Text tables: comma, semicolon, tab or bar between fields; ``#`` comments above the header."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from hbmlc_models.formats.errors import NotATableError, TooDemandingError, TruncatedFileError
from hbmlc_models.formats.limits import MAX_NAME_BYTES, IngestLimits
from hbmlc_models.formats.readers._table import refuse_doubles

__all__ = ["CsvTable"]

_SEPARATORS = ",\t;|"
_NULLS = ["", "NaN", "nan", "NAN", "null", "NULL", "None", "NA", "N/A", "--", "masked", "nil"]
_MAX_HEADER_LINES = 10_000
_BLOCK_BYTES = 4 * 2**20
_MAX_HEADER_BYTES = 16 * 2**20
_FIELD_COUNTS = re.compile(r"Expected (\d+) columns, got (\d+)")


class CsvTable:
    """A text table; every field is handed out as text, numbers are parsed by the one who asks."""

    def __init__(self, source: Path, limits: IngestLimits) -> None:
        self._source = source
        self._names, self._separator, self._skip = _header(source)
        limits.check_columns(len(self._names))
        refuse_doubles(self._names)

    @property
    def units(self) -> Mapping[str, str | None]:
        """Names of the columns; text tables carry no units."""
        return dict.fromkeys(self._names)

    @property
    def n_rows(self) -> int | None:
        """Unknown until the file was read."""
        return None

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` as text, in batches."""
        try:
            reader = pacsv.open_csv(
                self._source,
                read_options=pacsv.ReadOptions(
                    column_names=self._names, skip_rows=self._skip, block_size=_BLOCK_BYTES
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=self._separator, newlines_in_values=False
                ),
                convert_options=pacsv.ConvertOptions(
                    include_columns=list(columns),
                    column_types=dict.fromkeys(columns, pa.string()),
                    null_values=_NULLS,
                    strings_can_be_null=True,
                ),
            )
            for batch in reader:
                for start in range(0, batch.num_rows, size):
                    yield batch.slice(start, size)
        except pa.ArrowMemoryError as error:
            raise MemoryError("A block of the text table takes more than the memory.") from error
        except (pa.ArrowException, OSError) as error:
            # An incomplete last line is how a cut-off text table shows itself.
            raise TruncatedFileError(_what_is_wrong(str(error))) from error

    def close(self) -> None:
        """Nothing stays open between calls."""


def _what_is_wrong(message: str) -> str:
    """Our words for Arrow's: its own repeat the row."""
    counts = _FIELD_COUNTS.search(message)
    if counts:
        return (
            f"A line of the text table has {counts[2]} fields where the header has {counts[1]}; "
            "write the table again, or put quotes around texts with a separator."
        )
    if "straddl" in message:
        return (
            f"A line of the text table is longer than {_BLOCK_BYTES:,} bytes; write one line a "
            "galaxy."
        )
    return "The text table breaks off, changes its number of fields or is not UTF-8; mend it."


def _header(source: Path) -> tuple[list[str], str, int]:
    """Column names, separator and the number of lines above the first row."""
    comment = ""
    with source.open("r", encoding="utf-8-sig", errors="strict", newline=None) as file:
        try:
            for number, line in enumerate(_lines(file)):
                if line.lstrip().startswith("#"):
                    comment = line.lstrip("# \t")
                elif line.strip():
                    return _names(line, comment, number)
                if number > _MAX_HEADER_LINES:
                    break
        except UnicodeDecodeError as error:
            raise NotATableError("The text is not UTF-8; write it as UTF-8.") from error
    raise NotATableError("The text has no header line with column names.")


def _lines(file: Iterator[str]) -> Iterator[str]:
    """Lines of the head of the file; a line without end is cut, it is no header."""
    # ``readline`` with a limit, as a file of one endless line would otherwise fill the memory.
    readline = getattr(file, "readline", None)
    while readline is not None and (line := readline(_MAX_HEADER_BYTES)):
        yield line


def _names(line: str, comment: str, number: int) -> tuple[list[str], str, int]:
    """Names from the first plain line, or from the comment above it where that line has numbers."""
    separator = max(_SEPARATORS, key=line.count)
    fields = _split(line, separator)
    above = _split(comment, separator)
    if any(map(_is_number, fields)):
        if len(above) == len(fields) and not any(map(_is_number, above)):
            return above, separator, number
        raise NotATableError(
            "The first line of the text holds numbers; put a line with the column names above it.",
            where=f"line {number + 1}",
        )
    return fields, separator, number + 1


def _split(line: str, separator: str) -> list[str]:
    """Fields of one line without quotes and blanks around them."""
    try:
        fields = list(chain.from_iterable(csv.reader([line.strip("\r\n")], delimiter=separator)))
    except csv.Error as error:
        raise NotATableError(
            "The header line of the text cannot be taken apart; write short column names without "
            "quotes."
        ) from error
    longest = max(map(len, fields), default=0)
    if longest > MAX_NAME_BYTES:
        raise TooDemandingError(
            f"A column name of the text has {longest:,} characters, the limit is "
            f"{MAX_NAME_BYTES:,}; write a header line with short names."
        )
    return [field.strip() for field in fields]


def _is_number(text: str) -> bool:
    """Whether ``text`` reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return text.lower() not in {"nan", "inf"}
