"""The format of an uploaded file, by its first bytes and never by its name."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from hbmlc_models.formats._foreign import nul_byte, refuse_foreign
from hbmlc_models.formats._unpack import GZIP_MAGIC, head_of
from hbmlc_models.formats.errors import (
    CompressedFileError,
    EmptyFileError,
    TruncatedFileError,
    UnknownFormatError,
)

__all__ = ["FileFormat", "sniff"]

_HEAD_BYTES = 4_096
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_ARROW_FILE, _ARROW_STREAM = b"ARROW1\x00\x00", b"\xff\xff\xff\xff"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_TAIL_BYTES = 8
_BLANK = b" \t\r\n\xef\xbb\xbf"


class FileFormat(StrEnum):
    """Formats that are read."""

    PARQUET = "parquet"
    FEATHER = "feather"
    CSV = "csv"
    """Any table that is text."""
    FITS = "fits"
    HDF5 = "hdf5"
    VOTABLE = "votable"


def sniff(source: Path) -> FileFormat:
    """Format of the file at ``source``; of one that gzip has packed, that of its content.

    Raises
    ------
    FileError
        The file is none that can be read; the message says what it looks like.
    BadTextError
        The file is a table of text with a NUL byte.
    """
    with source.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read(_TAIL_BYTES)
    if head.startswith(GZIP_MAGIC):
        head = head_of(source, _HEAD_BYTES)
        if head.startswith(GZIP_MAGIC):
            raise CompressedFileError("The file is packed with gzip twice; unpack it once.")
    elif head.startswith(b"PAR1") and not tail.endswith(b"PAR1"):
        raise TruncatedFileError(
            "The Parquet file ends before its footer; upload it again in full.",
            where=f"byte {size}",
        )
    elif head.startswith(_ARROW_FILE) and not tail.endswith(b"ARROW1"):
        raise TruncatedFileError(
            "The Arrow (Feather) file ends before its footer; upload it again in full.",
            where=f"byte {size}",
        )
    return _format_of(head)


def _format_of(head: bytes) -> FileFormat:
    """Format by the first bytes."""
    if not head.strip(_BLANK):
        raise EmptyFileError("The file is empty; upload a table with one row for each galaxy.")
    for magic, found in _MAGIC.items():
        if head.startswith(magic):
            return found
    if _is_votable(head):
        return FileFormat.VOTABLE
    refuse_foreign(head)
    if _is_text(head):
        return FileFormat.CSV
    if b"\x00" in head and _is_text(head.replace(b"\x00", b"")):
        raise nul_byte(head[: head.find(b"\x00")].count(b"\n") + 1)
    raise UnknownFormatError(
        "The first bytes belong to none of the formats that are read: Parquet, FITS, HDF5, "
        "VOTable, Arrow (Feather) and tables of text.",
        where="byte 0",
    )


_MAGIC = {
    b"PAR1": FileFormat.PARQUET,
    b"SIMPLE  =": FileFormat.FITS,
    _HDF5_MAGIC: FileFormat.HDF5,
    _ARROW_FILE: FileFormat.FEATHER,
    _ARROW_STREAM: FileFormat.FEATHER,
}


def _is_votable(head: bytes) -> bool:
    """Whether the head is XML with a VOTABLE element."""
    text = head.lstrip(_BLANK)
    if text.startswith(_UTF16):
        text = text.replace(b"\x00", b"")[2:]
    return text.startswith(b"<") and b"VOTABLE" in text.upper()


def _is_text(head: bytes) -> bool:
    """Whether the head is text with a separator, or with words and numbers."""
    if head.startswith(_UTF16):
        return True
    if b"\x00" in head or sum(byte < _FIRST_PRINTABLE for byte in set(head) - _SPACES):
        return False
    has_digits = not _DIGITS.isdisjoint(head)
    return any(
        _has_separator(line) or (has_digits and len(line.split()) > 1) for line in head.splitlines()
    )


_FIRST_PRINTABLE = 0x20
_DIGITS = frozenset(b"0123456789")
_SPACES = frozenset(b"\t\n\r\x0b\x0c\x1a")


def _has_separator(line: bytes) -> bool:
    return any(separator in line for separator in (b",", b";", b"\t", b"|"))
