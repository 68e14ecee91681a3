"""How much an upload may hold."""

from __future__ import annotations

from dataclasses import dataclass

from hbmlc_models.formats.errors import TooManyColumnsError, TooManyRowsError

__all__ = ["IngestLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestLimits:
    """Bounds on an upload; they bound memory and time as well."""

    max_rows: int = 50_000_000
    """Most rows."""
    max_columns: int = 5_000
    """Most columns, used or not."""
    max_votable_bytes: int = 512 * 2**20
    """Largest VOTable: the XML is the one format that has to be held in memory."""
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
