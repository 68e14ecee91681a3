"""Texts in quotes that go on in the next line, and quotes that are never closed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hbmlc_models.formats.errors import TruncatedFileError
from hbmlc_models.formats.readers._text_plan import TextPlan
from hbmlc_models.formats.readers._text_shape import is_row_like

__all__ = ["BREAK", "is_closed", "joined"]

BREAK = "\x1e"
"""What stands for a line break within quotes once its lines are joined."""
_QUOTE, _NEWLINE = 0x22, 0x0A
_LONGEST = 2**20
"""Bytes of a text in quotes over several lines."""


def is_closed(block: bytes, separator: bytes) -> bool:
    """Whether every text in quotes begins a field and ends in its own line.

    Within a line, quotes open and close in turn; one that opens stands at the beginning of a
    field, or doubles the one before it.
    """
    chars = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(chars == _QUOTE)
    if not len(quotes):
        return True
    lines = np.searchsorted(np.flatnonzero(chars == _NEWLINE), quotes)
    is_closing = (np.arange(len(quotes)) - np.searchsorted(lines, lines)) % 2 == 1
    is_last = np.append(lines[1:] != lines[:-1], True)
    if not is_closing[is_last].all():
        return False
    opening = quotes[~is_closing]
    before = chars[opening[opening > 0] - 1]
    return bool(((before == separator[0]) | (before == _NEWLINE) | (before == _QUOTE)).all())


def joined(blocks: Iterator[bytes], plan: TextPlan) -> Iterator[bytes]:
    """Blocks of whole lines, with a text that goes on in the next line brought into one.

    Empty lines follow such a line, so that line numbers stay.

    Raises
    ------
    TruncatedFileError
        A quote is not closed; the rows up to the next one would be lost in a text.
    """
    joiner = _Joiner(plan)
    separator = plan.separator.encode()
    for block in blocks:
        if not joiner.is_within and (b'"' not in block or is_closed(block, separator)):
            joiner.pass_over(block.count(b"\n"))
            yield block
        else:
            yield joiner.take(block)
    joiner.finish()


class _Joiner:
    """Lines on their way from a file to a parser that knows one line a row."""

    def __init__(self, plan: TextPlan) -> None:
        self._plan = plan
        self._separator = plan.separator.encode()
        self._number = plan.first_row
        self._began = 0
        self._n_bytes = 0
        self._held: list[bytes] = []

    @property
    def is_within(self) -> bool:
        """Whether the next line begins within quotes."""
        return bool(self._held)

    def pass_over(self, n_lines: int) -> None:
        """Count lines that stay as they are."""
        self._number += n_lines

    def take(self, block: bytes) -> bytes:
        """Lines of a block, as far as they are complete."""
        *lines, rest = block.split(b"\n")
        out: list[bytes] = []
        for line in lines:
            self._number += 1
            out += self._next(line)
        # A block without a last line end is part of a line that no parser takes.
        if rest and self._held:
            raise self._unclosed()
        return b"".join([line + b"\n" for line in out]) + rest

    def finish(self) -> None:
        """Raise where the file ends within quotes."""
        if self._held:
            raise self._unclosed()

    def _next(self, line: bytes) -> list[bytes]:
        """What the next line completes."""
        if self._held:
            return self._going_on(line)
        is_comment = line.lstrip(b" \t").startswith(b"#") and not self._plan.has_hash_rows
        if b'"' not in line or is_comment or not self._ends_within(line, 0):
            return [line]
        self._held, self._began, self._n_bytes = [line], self._number, 0
        return []

    def _going_on(self, line: bytes) -> list[bytes]:
        """What a line that begins within quotes completes."""
        self._n_bytes += len(line)
        if self._n_bytes > _LONGEST or is_row_like(line.decode("utf-8", "replace"), self._plan):
            raise self._unclosed()
        self._held.append(line)
        end = _end_of_quoted(line, 0)
        if end < 0:
            return []
        after = line[end:]
        if after.strip() and not after.lstrip(b" ").startswith(self._separator):
            raise self._unclosed()
        if self._ends_within(line, end):
            return []
        lines, self._held = self._held, []
        whole = BREAK.encode().join([*(part.rstrip(b"\r") for part in lines[:-1]), lines[-1]])
        return [whole, *[b""] * (len(lines) - 1)]

    def _ends_within(self, line: bytes, start: int) -> bool:
        """Whether the line ends within quotes; at its beginning, or a closing quote, it is not."""
        opening = self._separator + b'"'
        if not start and line.startswith(b'"'):
            start = _end_of_quoted(line, 1)
        while start >= 0:
            found = line.find(opening, start)
            if found < 0:
                return False
            start = _end_of_quoted(line, found + len(opening))
        return True

    def _unclosed(self) -> TruncatedFileError:
        return TruncatedFileError(
            f"A quote in line {self._began:,} of the text table is not closed, and would swallow "
            "the rows below it; close the quote or take it away.",
            where=f"line {self._began}",
        )


def _end_of_quoted(line: bytes, start: int) -> int:
    """Place behind the quote that closes, -1 where the line has none."""
    while (found := line.find(b'"', start)) >= 0:
        if line[found + 1 : found + 2] != b'"':
            return found + 1
        start = found + 2
    return -1
