"""Uploads that are compressed with gzip, unpacked to scratch within a bound."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hbmlc_models.formats.errors import TooDemandingError, TruncatedFileError
from hbmlc_models.formats.limits import IngestLimits

__all__ = ["GZIP_MAGIC", "head_of", "unpacked"]

GZIP_MAGIC = b"\x1f\x8b"
_PIECE = 2**20


@contextmanager
def unpacked(source: Path, limits: IngestLimits, scratch: Path) -> Generator[Path]:
    """Path of the upload without its compression: itself, or a file that is removed at the end."""
    with source.open("rb") as file:
        is_packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    if not is_packed:
        yield source
        return
    with tempfile.NamedTemporaryFile(dir=scratch, prefix=".unpacked-") as plain:
        _unpack(source, plain, limits)
        plain.flush()
        yield Path(plain.name)


def head_of(source: Path, length: int) -> bytes:
    """First bytes of what is packed in a file."""
    try:
        with gzip.open(source, "rb") as packed:
            return packed.read(length)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged() from error


def _unpack(source: Path, plain: IO[bytes], limits: IngestLimits) -> None:
    """Write out what is packed, up to the bound."""
    most = limits.most_unpacked(source.stat().st_size)
    written = 0
    with gzip.open(source, "rb") as packed:
        while piece := _piece(packed):
            written += len(piece)
            if written > most:
                raise TooDemandingError(
                    f"The gzip file unpacks to more than {most:,} bytes; unpack it and upload the "
                    "table as Parquet or FITS, or in parts."
                )
            plain.write(piece)


def _piece(packed: gzip.GzipFile) -> bytes:
    """Next bytes; what the disk raises while they are written is no fault of theirs."""
    try:
        return packed.read(_PIECE)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged() from error


def _damaged() -> TruncatedFileError:
    return TruncatedFileError(
        "The gzip file is damaged or breaks off; upload it again in full, or unpacked."
    )
