"""How the characters of a text table are written down."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from hbmlc_models.formats.errors import NotATableError

__all__ = ["TextEncoding", "decoded", "encoding_of", "to_utf8"]

_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
_UTF32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
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

    @property
    def is_wide(self) -> bool:
        """Whether a character takes two bytes."""
        return self.codec.startswith("utf-16")


def encoding_of(source: Path, head: bytes) -> TextEncoding:
    """Encoding of a text, by its head and a look through all of it."""
    if head.startswith(_UTF32):
        raise NotATableError("The text is in UTF-32; write it as UTF-8.")
    mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
    codec = _MARKS.get(mark, "utf-8")
    plain = head.replace(b"\x00", b"") if codec != "utf-8" else head
    is_bare = b"\n" not in plain and b"\r" in plain
    if codec != "utf-8":
        return TextEncoding(
            codec=codec,
            mark_bytes=len(mark),
            has_bare_returns=is_bare,
            has_comments=True,
            has_blanks=True,
        )
    is_foreign, has_comments, has_blanks = _looked_through(source)
    return TextEncoding(
        codec=codec,
        mark_bytes=len(mark),
        has_bare_returns=is_bare,
        is_foreign=is_foreign,
        has_comments=has_comments or is_bare,
        has_blanks=has_blanks,
    )


def _looked_through(source: Path) -> tuple[bool, bool, bool]:
    """Whether any line is not UTF-8, begins like a comment, or has blanks."""
    has_comments = has_blanks = False
    check = codecs.getincrementaldecoder("utf-8")()
    is_foreign, starts_line = False, True
    with source.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            # One byte is found ten times as fast as two.
            for mark in (b"#", b" "):
                if mark in piece and not has_comments:
                    is_first = starts_line and piece.startswith(mark)
                    has_comments = is_first or b"\n" + mark in piece
            has_blanks = has_blanks or b" " in piece
            has_comments = has_comments or piece.endswith(_OLD_END)
            starts_line = piece.endswith(b"\n")
            is_foreign = is_foreign or not _is_utf8(check, piece)
    return is_foreign or not _is_utf8(check, b"", is_last=True), has_comments, has_blanks


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
