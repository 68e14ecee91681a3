"""How the characters of a text table are written down."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from hbmlc_models.formats._foreign import nul_byte
from hbmlc_models.formats.errors import NotATableError
from hbmlc_models.formats.readers._text_plan import TextPlan
from hbmlc_models.formats.readers._text_quotes import is_closed

__all__ = ["TextEncoding", "check_mark", "decoded", "encoding_of", "to_utf8"]

_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
_UTF32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_LONGEST_CUT = 65_536
_OLD_END = b"\x1a"
"""How DOS ended a text."""
_READ_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEncoding:
    """Encoding and line ends of a text, and what its rows hold."""

    codec: str
    """Name of the encoding."""
    mark_bytes: int
    """Bytes of a byte order mark."""
    has_bare_returns: bool
    """Whether lines end with a carriage return alone."""
    is_foreign: bool = False
    """Whether some lines are not UTF-8."""
    has_comments: bool = False
    """Whether a line is, or may be, a comment or blank."""
    has_blanks: bool = False
    """Whether fields may have blanks around them."""
    has_open_quotes: bool = False
    """Whether a text in quotes may go on in the next line, or never ends."""

    @property
    def is_wide(self) -> bool:
        """Whether a character takes two bytes."""
        return self.codec.startswith("utf-16")


def check_mark(head: bytes) -> None:
    """Raise where a text begins with the mark of an encoding that is not read."""
    if head.startswith(_UTF32):
        raise NotATableError("The text is in UTF-32; write it as UTF-8.")


def encoding_of(source: Path, head: bytes, plan: TextPlan) -> TextEncoding:
    """Encoding of a text, by its head and a look through its rows."""
    mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
    codec = _MARKS.get(mark, "utf-8")
    plain = head.replace(b"\x00", b"") if codec != "utf-8" else head
    if b"\x00" in plain:
        raise nul_byte(_line_of_nul(source))
    is_bare = b"\n" not in plain and b"\r" in plain
    if codec != "utf-8" or is_bare:
        return TextEncoding(
            codec=codec,
            mark_bytes=len(mark),
            has_bare_returns=is_bare,
            is_foreign=codec == "utf-8" and _Look(source, 0, "").is_foreign,
            has_comments=True,
            has_blanks=True,
            has_open_quotes=True,
        )
    above = b"\n".join(head.split(b"\n", plan.first_row)[: plan.first_row])
    look = _Look(source, len(above), plan.separator)
    return TextEncoding(
        codec=codec,
        mark_bytes=len(mark),
        has_bare_returns=False,
        is_foreign=look.is_foreign or not _is_utf8(_decoder(), above),
        has_comments=look.has_comments,
        has_blanks=look.has_blanks,
        has_open_quotes=look.has_open_quotes,
    )


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")()


class _Look:
    """What the rows of a text hold besides fields."""

    def __init__(self, source: Path, start: int, separator: str) -> None:
        self.is_foreign = False
        """Whether a line is not UTF-8."""
        self.has_comments = False
        """Whether a line begins like a comment, or with a blank."""
        self.has_blanks = False
        """Whether a field begins or ends with a blank."""
        self.has_open_quotes = False
        """Whether quotes do not plainly open and close within one line."""
        self._source = source
        self._cut = b""
        mark = self._mark = separator.encode()
        self._edges = [b" " + mark, mark + b" ", b" \n", b" \r", b"\n "]
        check = _decoder()
        starts_line = not start
        with source.open("rb") as file:
            file.seek(start)
            while piece := file.read(_READ_BYTES):
                self._see(piece, starts_line=starts_line)
                starts_line = piece.endswith(b"\n")
                self.is_foreign = self.is_foreign or not _is_utf8(check, piece)
        self.is_foreign = self.is_foreign or not _is_utf8(check, b"", is_last=True)
        self._see(b"\n", starts_line=starts_line)

    def _see(self, piece: bytes, *, starts_line: bool) -> None:
        """Look at the next bytes; one byte is found ten times as fast as two."""
        if b"\x00" in piece:
            raise nul_byte(_line_of_nul(self._source))
        for mark in (b"#", b" "):
            if mark in piece and not self.has_comments:
                is_first = starts_line and piece.startswith(mark)
                self.has_comments = is_first or b"\n" + mark in piece
        if b" " in piece and not self.has_blanks:
            self.has_blanks = any(edge in piece for edge in self._edges)
        self.has_comments = self.has_comments or piece.endswith(_OLD_END)
        if self._mark:
            self.has_open_quotes = self.has_open_quotes or self._opens(piece)

    def _opens(self, piece: bytes) -> bool:
        """Whether a line up to the end of the next bytes may end within quotes."""
        end = piece.rfind(b"\n") + 1
        if b'"' not in piece and b'"' not in self._cut:
            self._cut = piece[end:] if end else self._cut + piece
            return len(self._cut) > _LONGEST_CUT
        lines, self._cut = self._cut + piece[:end], piece[end:]
        if not end:
            lines, self._cut = b"", lines + piece
        return len(self._cut) > _LONGEST_CUT or not is_closed(lines, self._mark)


def _line_of_nul(source: Path) -> int:
    """Number of the first line with a NUL byte."""
    number = 1
    with source.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            place = piece.find(b"\x00")
            number += (piece if place < 0 else piece[:place]).count(b"\n")
            if place >= 0:
                break
    return number


def _is_utf8(check: codecs.IncrementalDecoder, piece: bytes, *, is_last: bool = False) -> bool:
    """Whether the next bytes go on as UTF-8; a character may be cut at their end."""
    if piece and piece.isascii() and not check.getstate()[0]:
        return True
    try:
        check.decode(piece, is_last)
    except UnicodeDecodeError:
        check.reset()
        return False
    return True


def to_utf8(block: bytes, encoding: TextEncoding) -> bytes:
    """Block with lines that are not UTF-8 read as Windows-1252, which contains Latin-1."""
    if not encoding.is_foreign or block.isascii():
        return block
    lines = block.split(b"\n")
    return b"\n".join([line if line.isascii() else decoded(line).encode() for line in lines])


def decoded(text: bytes) -> str:
    """Text of bytes in UTF-8 or, failing that, in Windows-1252."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        pass
    try:
        return text.decode("cp1252")
    except UnicodeDecodeError:
        return text.decode("latin-1")
