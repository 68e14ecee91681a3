"""What people upload instead of a table: named, with the way out."""

from __future__ import annotations

from hbmlc_models.formats.errors import (
    BadTextError,
    CatalogError,
    CompressedFileError,
    FileError,
    PickledDataError,
    UnknownFormatError,
)

__all__ = ["nul_byte", "refuse_foreign"]

_PACKED = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
    b"\x1f\x9d": "compress",
}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_SHEETS = (b"xl/", b"[Content_Types].xml", b"mimetypeapplication/vnd.oasis")
_OTHERS = {
    b"\x93NUMPY": ("a NumPy array", "write the table as Parquet or FITS"),
    b"FEA1": ("Feather of version 1", "write it as version 2 or as Parquet"),
    b"PARE": ("Parquet with an encrypted footer", "write it without encryption"),
    b"SQLite format 3": ("an SQLite database", "export the table as CSV or Parquet"),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook", "save the sheet as CSV"),
    b"CDF\x01": ("NetCDF 3", "write the table as Parquet or HDF5"),
    b"CDF\x02": ("NetCDF 3", "write the table as Parquet or HDF5"),
    b"MATLAB 5.0": ("a MATLAB file", "write the table as Parquet or HDF5"),
    b"SR\x00\x04": ("an IDL save file", "write the table as FITS"),
    b"#ASDF": ("ASDF", "write the table as Parquet or FITS"),
    b"ORC": ("ORC", "write the table as Parquet"),
    b"Obj\x01": ("Avro", "write the table as Parquet"),
    b"%PDF": ("a PDF document", "ask the journal for the machine-readable table"),
    b"\x89PNG": ("an image (PNG)", "upload the table itself"),
    b"\xff\xd8\xff": ("an image (JPEG)", "upload the table itself"),
    b"root\x00": ("a ROOT file", "write the table as Parquet"),
    b"RDX": ("an R workspace", "write the table as Parquet or CSV"),
}
_LFS = b"version https://git-lfs.github.com/spec"
_PICKLE_PROTOCOLS = tuple(bytes([0x80, version]) for version in range(2, 6))
_TAR_AT = 257
_BLANK = b" \t\r\n\xef\xbb\xbf"


def refuse_foreign(head: bytes) -> None:
    """Raise where the first bytes are those of something else than a table that is read."""
    error = _packed(head) or _pickled(head) or _page(head) or _other(head) or _wide(head)
    if error is not None:
        raise error


def nul_byte(line: int) -> BadTextError:
    """Error of a table of text that holds a NUL byte, as after a crash or a failed copy."""
    return BadTextError(
        f"Line {line:,} of the text table holds a NUL byte (0x00), as after a crash or a failed "
        "copy; write the table again, or take it out.",
        where=f"line {line}",
    )


def _packed(head: bytes) -> CatalogError | None:
    """Archives and files that are compressed as a whole."""
    if head.startswith(_ZIP):
        if any(mark in head for mark in _SHEETS):
            return _unknown("a spreadsheet", "save the sheet as CSV")
        if b".npy" in head[:128]:
            return _unknown("a NumPy archive (npz)", "write the table as Parquet or FITS")
        return _compressed("zip")
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return _compressed("tar")
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            return _compressed(name)
    return None


def _compressed(name: str) -> FileError:
    return CompressedFileError(
        f"The file is packed with {name}; unpack it and upload the table, or pack it with gzip. "
        "Parquet and HDF5 compress inside the file.",
        where="byte 0",
    )


def _pickled(head: bytes) -> CatalogError | None:
    """Pickles, alone or in an array of NumPy."""
    is_array = head.startswith(b"\x93NUMPY") and b"'|O'" in head[:1024]
    if not (head.startswith(_PICKLE_PROTOCOLS) or is_array):
        return None
    return PickledDataError(
        "The file is a Python pickle, which can run code and is never read; write the table "
        "as Parquet, FITS, HDF5, VOTable or CSV.",
        where="byte 0",
    )


def _page(head: bytes) -> CatalogError | None:
    """What a server answers instead of the file."""
    text = head.lstrip(_BLANK)
    lowered = text[:4096].lower()
    if text.startswith(_LFS):
        return _unknown(
            "a Git LFS pointer, not the file it stands for", "fetch the file with 'git lfs pull'"
        )
    if text.startswith(b"<"):
        if b"<html" in lowered or b"<!doctype html" in lowered or b"<body" in lowered:
            return _unknown(
                "an HTML page (a web page), as servers send instead of a file",
                "open it to see what went wrong, and download the table again",
            )
        return _unknown("XML, but no VOTable", "look into it: it may be an error of an archive")
    if text.startswith((b"{", b"[")) and b'"' in lowered:
        return _unknown(
            "JSON, often the error message of a service",
            "open it to see what it says, and fetch the table as CSV, VOTable or Parquet",
        )
    return None


def _other(head: bytes) -> CatalogError | None:
    """Formats that are known and not read."""
    for magic, (name, cure) in _OTHERS.items():
        if head.startswith(magic):
            return _unknown(name, cure)
    return None


def _wide(head: bytes) -> CatalogError | None:
    """Text of two bytes a character, without the mark that says so."""
    odd, even = head[1::2], head[::2]
    if any(
        len(part) > 1 and not part.strip(b"\x00") and b"\x00" not in other
        for part, other in ((odd, even), (even, odd))
    ):
        return _unknown("text in UTF-16 without its mark", "write it as UTF-8")
    return None


def _unknown(name: str, cure: str) -> FileError:
    return UnknownFormatError(f"The file is {name}; {cure}.", where="byte 0")
