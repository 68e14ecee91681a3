"""How much an upload may hold, and what it may unfold to."""

from __future__ import annotations

from dataclasses import dataclass

from hbmlc_models.formats.errors import (
    TooDemandingError,
    TooManyColumnsError,
    TooManyRowsError,
)
from hbmlc_models.formats.shown import shown

__all__ = ["IngestLimits"]

MAX_CELL_BYTES = 1_024
"""Widest value of a column that is read. Ids have 128 at most, but FITS and HDF5 pad texts to a
common width; a batch of 65,536 such texts still fits into 64 MiB."""
MAX_NAME_BYTES = 4_096
"""Longest column name in the header of a text table; names beyond 200 are never used."""
MAX_RECORD_BYTES = 65_536
"""Widest row of a FITS table or of an HDF5 dataset of records: 5,000 columns of 13 bytes. Rows are
read whole, whatever is wanted of them."""
BATCH_BYTES = 64 * 2**20
"""Bytes of rows that are read at a time."""
MAX_CHUNK_BYTES = 32 * 2**20
"""Largest chunk of an HDF5 dataset. A chunk is unpacked whole for each look at one of its rows;
h5py and PyTables make chunks of 1 MiB at most."""
MAX_CHUNKS_IN_MEMORY = 1_024 * 2**20
"""Bytes of the chunks of all wanted HDF5 datasets together: one of each is kept unpacked."""
MAX_CHUNKS = 200_000
"""Most chunks of one HDF5 dataset: each is looked up on its own, if never written, too."""
MAX_OBJECTS = 20_000
"""Most groups and datasets of an HDF5 file that are looked at."""
MAX_FITS_HEADER_BLOCKS = 2_000
"""Most blocks of 2,880 bytes in one FITS header: 72,000 cards, 14 for each of 5,000 columns."""
MAX_FITS_UNITS = 1_000
"""Most header units of a FITS file that are looked at."""
MAX_FITS_TABLES = 100
"""Most tables of a FITS file that are looked at."""
MAX_PARQUET_FOOTER_BYTES = 64 * 2**20
"""Largest footer of a Parquet file; it becomes some ten times as many bytes of objects."""
MAX_XML_DEPTH = 64
"""Deepest nesting of a VOTable: resources within resources, rarely three."""
MAX_XML_ELEMENTS = 200_000
"""Most elements of a VOTable besides rows and cells: descriptions, parameters, fields."""
EXPANSION = 200
"""Most bytes of the wanted columns for a byte of the file. Real photometry compresses two- to
fivefold, a table of constants a hundredfold."""
UNPACKED = 100
"""Most bytes that gzip may unpack to for a byte of the file: text of digits takes two to ten."""
EXPANSION_FLOOR = 256 * 2**20
"""What any file may unfold to, however small it is [bytes]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestLimits:
    """Bounds on an upload; they bound memory and time as well."""

    max_rows: int = 50_000_000
    """Most rows."""
    max_columns: int = 5_000
    """Most columns, used or not."""
    max_votable_bytes: int = 512 * 2**20
    """Largest VOTable: the XML is the one format that has to be held in memory."""
    max_unpacked_bytes: int = 32 * 2**30
    """Longest file that a compressed upload may unpack to."""
    max_id_bytes: int = 128
    """Longest id or tile name, UTF-8."""
    max_tiles: int = 200_000
    """Most tiles."""
    z_max: float = 15.0
    """Largest believable spectroscopic redshift."""
    batch_rows: int = 65_536
    """Rows in memory at a time."""
    mean_tile_galaxies: int = 1_000
    """Galaxies that a HEALPix tile should have on average at least."""

    def check_columns(self, n_columns: int) -> None:
        """Raise ``TooManyColumnsError`` where there are more columns than the limit."""
        if n_columns > self.max_columns:
            raise TooManyColumnsError(
                f"The table has {n_columns:,} columns, the limit is {self.max_columns:,}; upload "
                "only id, position, tile, photometry, errors and redshift."
            )

    def check_rows(self, n_rows: int) -> None:
        """Raise ``TooManyRowsError`` where there are more rows than the limit."""
        if n_rows > self.max_rows:
            raise TooManyRowsError(
                f"The table has at least {n_rows:,} rows, the limit is {self.max_rows:,}; split it "
                "by area and upload the parts."
            )

    def check_cell(self, column: str, n_bytes: int) -> None:
        """Raise ``TooDemandingError`` where a value of a wanted column is too wide."""
        if n_bytes > MAX_CELL_BYTES:
            raise TooDemandingError(
                f"A value of the column {shown(column)} takes {n_bytes:,} bytes, the limit is "
                f"{MAX_CELL_BYTES:,}; map another column, or write it as a number or a short text.",
                where=column,
            )

    def most_unpacked(self, file_bytes: int) -> int:
        """Most bytes that a compressed file of that size may unpack to."""
        return min(self.max_unpacked_bytes, max(EXPANSION_FLOOR, UNPACKED * file_bytes))

    def check_expansion(self, n_bytes: int, *, file_bytes: int) -> None:
        """Raise ``TooDemandingError`` where rows take more than a file of that size may hold."""
        most = max(EXPANSION_FLOOR, EXPANSION * file_bytes)
        if n_bytes > most:
            raise TooDemandingError(
                f"The wanted columns unfold to {n_bytes:,} bytes, a file of {file_bytes:,} bytes "
                f"may hold {most:,}; write the table without rows that hold nothing."
            )
