"""Lines of a text table in blocks: without comments, in UTF-8, with one separator between fields.

Every line that comes in goes out, an empty one for a comment, so that line numbers stay.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from hbmlc_models.formats.readers._text_encoding import TextEncoding, to_utf8
from hbmlc_models.formats.readers._text_plan import Layout, TextPlan
from hbmlc_models.formats.readers._text_quotes import joined
from hbmlc_models.formats.readers._text_shape import is_commented_row

__all__ = ["BLOCK_BYTES", "UNIT", "blocks", "n_commented_rows"]

BLOCK_BYTES = 4 * 2**20
UNIT = "\x1f"
"""What stands between the fields of rows that came with blanks, or in fixed places."""
_UNIT = UNIT.encode()
_COMMENT = re.compile(rb"(?m)^[ \t]*#.*$")
_BORDER = re.compile(rb"(?m)^(?:[ \t]*[-+=|][-+=|: \t]*|\(\d{1,12} rows?\)[ \t]*)\r?$")
"""Lines around a table, and what PostgreSQL writes below it."""
_BLANK_LINE = re.compile(rb"(?m)^[ \t\x1a]+\r?$")
_BLANKS = (b" ", b"\t", b"\x1a")
_WORD = re.compile(rb'"(?:[^"]|"")*"|[^\s"]\S*')


def blocks(source: Path, plan: TextPlan, encoding: TextEncoding) -> Iterator[bytes]:
    """Rows of a table as lines that Arrow reads, in blocks of whole lines."""
    shape = _shaper(plan)
    pieces = _rows(source, plan, encoding)
    if encoding.has_open_quotes and plan.layout is Layout.SEPARATED:
        pieces = joined(pieces, plan)
    for text in pieces:
        yield shape(_BORDER.sub(_without_border, text) if plan.has_borders else text)


def _rows(source: Path, plan: TextPlan, encoding: TextEncoding) -> Iterator[bytes]:
    """Blocks of lines in UTF-8 without those above the first row."""
    skip = plan.first_row
    for block in _whole_lines(source, encoding):
        lines = block
        if skip:
            skip, lines = _skipped(block, skip)
        if lines:
            yield to_utf8(lines, encoding)


def n_commented_rows(source: Path, plan: TextPlan, encoding: TextEncoding) -> int:
    """Comments that are shaped like rows, among the first hundred thousand comments."""
    n_left, n_rows = _MOST_COMMENTS, 0
    if not encoding.has_comments or plan.has_hash_rows or plan.layout is Layout.FIXED:
        return 0
    for block in _whole_lines(source, encoding):
        if b"#" not in block:
            continue
        for found in islice(_COMMENT.finditer(block), n_left):
            n_left -= 1
            n_rows += is_commented_row(found[0].decode("utf-8", "replace"), plan)
        if not n_left:
            break
    return n_rows


_MOST_COMMENTS = 100_000


def _without_border(line: re.Match[bytes]) -> bytes:
    """Nothing in the place of a border; a line of single dashes is a row."""
    is_border = b"--" in line[0] or b"==" in line[0] or b"row" in line[0]
    return b"" if is_border else line[0]


def _whole_lines(source: Path, encoding: TextEncoding) -> Iterator[bytes]:
    """Blocks that end with a line end; a line without end comes in pieces."""
    decoder = codecs.getincrementaldecoder(encoding.codec)("replace") if encoding.is_wide else None
    held = b""
    with source.open("rb") as file:
        file.seek(encoding.mark_bytes)
        while piece := file.read(BLOCK_BYTES):
            text = decoder.decode(piece).encode() if decoder is not None else piece
            if encoding.has_bare_returns:
                text = text.replace(b"\r", b"\n")
            end = text.rfind(b"\n") + 1
            if not end and len(held) < BLOCK_BYTES:
                held += text
                continue
            yield held + text[:end]
            held = text[end:]
    if held:
        yield held + b"\n"


def _skipped(block: bytes, n: int) -> tuple[int, bytes]:
    """Block without its first ``n`` lines, and how many are still to come."""
    start = 0
    while n:
        end = block.find(b"\n", start)
        if end < 0:
            return n, b""
        start, n = end + 1, n - 1
    return 0, block[start:]


def _shaper(plan: TextPlan) -> Callable[[bytes], bytes]:
    """Function that brings a block into the form that Arrow reads."""
    bare = _without_remarks(plan) if plan.has_hash_rows else _without_comments
    if plan.layout is Layout.BLANKS:
        return lambda block: _from_blanks(bare(block))
    if plan.layout is Layout.FIXED:
        spans = [column.span for column in plan.columns]
        return lambda block: _from_places(block, spans)
    if plan.has_loose_ends:
        separator, n = plan.separator.encode(), len(plan.columns)
        return lambda block: _without_loose_ends(bare(block), separator, n)
    return bare


def _without_comments(block: bytes) -> bytes:
    """Lines with comments and blank ones emptied."""
    # A pattern looks at each line, which takes longer than all the rest.
    return _without_blank_lines(_COMMENT.sub(b"", block) if b"#" in block else block)


def _without_remarks(plan: TextPlan) -> Callable[[bytes], bytes]:
    """Function that empties the comments with fewer fields than the rows, which begin like them."""
    separator = plan.separator.encode() if plan.layout is Layout.SEPARATED else None
    n_columns = len(plan.columns)

    def row_or_nothing(found: re.Match[bytes]) -> bytes:
        if found[0].lstrip(b" \t")[1:2].isspace():
            return b""
        n_fields = len(found[0].split(separator))
        may_be_longer = separator is not None or b'"' in found[0]
        is_row = n_fields == n_columns or (may_be_longer and n_fields > n_columns)
        return found[0] if is_row else b""

    return lambda block: _without_blank_lines(_COMMENT.sub(row_or_nothing, block))


def _without_blank_lines(block: bytes) -> bytes:
    """Lines with those of blanks emptied."""
    is_indented = block[:1] in _BLANKS or any(b"\n" + blank in block for blank in _BLANKS)
    return _BLANK_LINE.sub(b"", block) if is_indented else block


def _from_blanks(block: bytes) -> bytes:
    """Lines of words with one separator between them."""
    lines = block.split(b"\n")
    if b'"' in block:
        return b"\n".join([_UNIT.join(_WORD.findall(line)) for line in lines])
    return b"\n".join([_UNIT.join(line.split()) for line in lines])


def _from_places(block: bytes, spans: list[tuple[int, int]]) -> bytes:
    """Lines of fields by their places; a line that is shorter lacks the last ones."""
    rows: list[bytes] = []
    for line in block.split(b"\n"):
        is_row = line.strip() and not line.startswith((b"#", b"\\"))
        rows.append(_UNIT.join([line[a:b].strip() for a, b in spans]) if is_row else b"")
    return b"\n".join(rows)


def _without_loose_ends(block: bytes, separator: bytes, n_fields: int) -> bytes:
    """Lines without a last separator where that makes a field too many."""
    rows: list[bytes] = []
    for line in block.split(b"\n"):
        bare = line.rstrip(b"\r \t") if separator != b"\t" else line.rstrip(b"\r ")
        is_long = bare.endswith(separator) and bare.count(separator) == n_fields
        rows.append(bare[: -len(separator)] if is_long else line)
    return b"\n".join(rows)
