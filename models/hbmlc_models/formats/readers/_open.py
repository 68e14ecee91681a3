"""Choice of the reader by format.

A reader is imported when a file needs it: an upload is read by a process of its own, for which the
imports are most of the time that a small one takes.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import assert_never

from hbmlc_models.formats._unpack import unpacked
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.readers._choice import refuse_choice
from hbmlc_models.formats.readers._masks import masked
from hbmlc_models.formats.readers._table import SourceTable, TableChoice
from hbmlc_models.formats.sniff import FileFormat, sniff

__all__ = ["open_table"]


@contextmanager
def open_table(
    source: Path,
    file_format: FileFormat,
    limits: IngestLimits,
    choice: TableChoice,
    scratch: Path,
) -> Generator[SourceTable]:
    """Open the table in ``source``.

    Parameters
    ----------
    source
        The upload, compressed with gzip or not.
    file_format
        What ``sniff`` says of it.
    limits
        Bounds on the upload.
    choice
        Which of several tables to take.
    scratch
        Folder for the unpacked form of a compressed upload, which is removed at the end.

    Raises
    ------
    FileError, LimitError
        The table cannot be read.
    MappingInvalidError
        The table that was asked for is not there.
    """
    with unpacked(source, limits, scratch) as plain:
        if plain != source:
            # A look into the packed file does not reach its end.
            file_format = sniff(plain)
        table = masked(_reader(plain, file_format, limits, choice))
        try:
            yield table
        finally:
            table.close()


def _reader(
    source: Path, file_format: FileFormat, limits: IngestLimits, choice: TableChoice
) -> SourceTable:
    """Reader for ``file_format``."""
    match file_format:
        case FileFormat.PARQUET:
            from hbmlc_models.formats.readers._parquet import ParquetTable

            refuse_choice(choice, "A Parquet file")
            return ParquetTable(source, limits)
        case FileFormat.FEATHER:
            from hbmlc_models.formats.readers._feather import FeatherTable

            refuse_choice(choice, "An Arrow file")
            return FeatherTable(source, limits)
        case FileFormat.CSV:
            from hbmlc_models.formats.readers._text import TextTable

            refuse_choice(choice, "A text file")
            return TextTable(source, limits, choice)
        case FileFormat.FITS:
            from hbmlc_models.formats.readers._fits import FitsTable

            return FitsTable(source, limits, choice)
        case FileFormat.HDF5:
            from hbmlc_models.formats.readers._hdf5 import Hdf5Table

            return Hdf5Table(source, limits, choice)
        case FileFormat.VOTABLE:
            from hbmlc_models.formats.readers._votable import VoTable

            return VoTable(source, limits, choice)
        case _:
            assert_never(file_format)
