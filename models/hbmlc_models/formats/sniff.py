"""The format of an uploaded file, by its first bytes and never by its name."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from hbmlc_models.formats.errors import (
    CompressedFileError,
    EmptyFileError,
    PickledDataError,
    TruncatedFileError,
    UnknownFormatError,
)

__all__ = ["FileFormat", "sniff"]

_HEAD_BYTES = 4096
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}
_NUMPY_MAGIC = b"\x93NUMPY"
_PICKLE_PROTOCOLS = tuple(bytes([0x80, version]) for version in range(2, 6))


class FileFormat(StrEnum):
    """Formats that are read."""

    PARQUET = "parquet"
    CSV = "csv"
    FITS = "fits"
    HDF5 = "hdf5"
    VOTABLE = "votable"


def sniff(source: Path) -> FileFormat:
    """Format of the file at ``source``.

    Raises
    ------
    EmptyFileError, TruncatedFileError, CompressedFileError, PickledDataError, UnknownFormatError
        The file is none that can be read; the message says what it looks like.
    """
    with source.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        size = file.seek(0, 2)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    if not head.strip():
        raise EmptyFileError("The file is empty; upload a table with one row for each galaxy.")
    _refuse(head)
    if head.startswith(b"PAR1"):
        if tail != b"PAR1":
            raise TruncatedFileError(
                "The Parquet file ends before its footer; upload it again in full.",
                where=f"byte {size}",
            )
        return FileFormat.PARQUET
    if head.startswith(b"SIMPLE  ="):
        return FileFormat.FITS
    if head.startswith(_HDF5_MAGIC):
        return FileFormat.HDF5
    if _looks_like_votable(head):
        return FileFormat.VOTABLE
    if _looks_like_text(head):
        return FileFormat.CSV
    raise UnknownFormatError(
        "The first bytes belong to none of the formats that are read: Parquet, CSV, FITS, HDF5, "
        "VOTable.",
        where="byte 0",
    )


def _refuse(head: bytes) -> None:
    """Raise on compressed files and pickles."""
    for magic, name in _COMPRESSED.items():
        if head.startswith(magic):
            raise CompressedFileError(
                f"The file is compressed with {name}; unpack it first. Parquet and HDF5 compress "
                "inside the file and are read as they are.",
                where="byte 0",
            )
    if head.startswith(_PICKLE_PROTOCOLS) or (head.startswith(_NUMPY_MAGIC) and b"'|O'" in head):
        raise PickledDataError(
            "The file is a Python pickle, which can run code and is never read; write the table "
            "as Parquet, FITS, HDF5, VOTable or CSV.",
            where="byte 0",
        )


def _looks_like_votable(head: bytes) -> bool:
    """Whether the head is XML with a VOTABLE element."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return text.startswith(b"<") and b"VOTABLE" in text.upper()


def _looks_like_text(head: bytes) -> bool:
    """Whether the head is UTF-8 text with a line that has a separator."""
    if b"\x00" in head or head.lstrip().startswith((b"<", b"{")):
        return False
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A multi-byte character may be cut at the end of the head; anything earlier is no text.
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8-sig")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("# ")]
    lines = lines or text.splitlines()
    return any(separator in lines[0] for separator in ",;\t|")
