"""Choice of the reader by format.

A reader is imported when a file needs it: an upload is read by a process of its own, for which the
imports are most of the time that a small one takes.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import assert_never

from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.readers._table import SourceTable
from hbmlc_models.formats.sniff import FileFormat

__all__ = ["open_table"]


@contextmanager
def open_table(
    source: Path, file_format: FileFormat, limits: IngestLimits
) -> Generator[SourceTable]:
    """Open the table in ``source``; raises ``FileError`` and ``LimitError``."""
    table = _reader(source, file_format, limits)
    try:
        yield table
    finally:
        table.close()


def _reader(source: Path, file_format: FileFormat, limits: IngestLimits) -> SourceTable:
    """Reader for ``file_format``."""
    match file_format:
        case FileFormat.PARQUET:
            from hbmlc_models.formats.readers._parquet import ParquetTable

            return ParquetTable(source, limits)
        case FileFormat.CSV:
            from hbmlc_models.formats.readers._csv import CsvTable

            return CsvTable(source, limits)
        case FileFormat.FITS:
            from hbmlc_models.formats.readers._fits import FitsTable

            return FitsTable(source, limits)
        case FileFormat.HDF5:
            from hbmlc_models.formats.readers._hdf5 import Hdf5Table

            return Hdf5Table(source, limits)
        case FileFormat.VOTABLE:
            from hbmlc_models.formats.readers._votable import VoTable

            return VoTable(source, limits)
        case _:
            assert_never(file_format)
