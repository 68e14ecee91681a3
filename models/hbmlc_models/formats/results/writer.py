"""Results of a calibration: tiles come in any order, files go out in upload order.

Tiles are scattered into memory maps; ``finish`` streams them to the files. Memory stays bounded and
the same tiles give the same bytes, in whatever order they came.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from hbmlc_models.arrays import FloatArray, ShapeMismatchError
from hbmlc_models.formats.canonical import CanonicalCatalog
from hbmlc_models.formats.results._compact import PROBABILITIES, quantiles
from hbmlc_models.formats.results._fits import write_fits
from hbmlc_models.formats.results._hdf5 import write_ensemble
from hbmlc_models.formats.results._parquet import write_table, write_tiles
from hbmlc_models.formats.results._scratch import Scratch
from hbmlc_models.formats.results.columns import ordered
from hbmlc_models.tile import Tile

__all__ = ["COMPACT_ROWS", "IncompleteResultsError", "ResultError", "ResultWriter"]

COMPACT_ROWS = 1_000_000
"""Above so many galaxies densities are kept as quantiles, 136 bytes an object."""


class ResultError(ValueError):
    """What is to be written does not fit together."""


class IncompleteResultsError(ResultError):
    """Some galaxies of the upload have no result."""

    def __init__(self, n_written: int, n_rows: int) -> None:
        self.n_written = n_written
        """Galaxies with a result."""
        self.n_rows = n_rows
        """Galaxies of the upload."""
        super().__init__(f"{n_written} of {n_rows} galaxies have a result; write every tile")


class ResultWriter:
    """Writes the result files of one calibration into a directory.

    Examples
    --------
    ``with ResultWriter(directory, catalog, z_grid, provenance) as writer:`` then ``write_tile`` for
    each tile and ``finish`` once; leaving the block removes the scratch files.
    """

    def __init__(
        self,
        directory: Path,
        catalog: CanonicalCatalog,
        z_grid: FloatArray,
        provenance: Mapping[str, str],
        *,
        compact_rows: int = COMPACT_ROWS,
    ) -> None:
        self._directory = directory
        self._catalog = catalog
        self._z_grid = np.asarray(z_grid, dtype=np.float64)
        self._provenance = dict(provenance)
        self._is_compact = catalog.n_rows > compact_rows
        directory.mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(dir=directory, prefix=".results-")
        self._scratch: Scratch | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the scratch files."""
        self._scratch = None
        self._folder.cleanup()

    def write_tile(
        self, tile: Tile, columns: Mapping[str, npt.NDArray[Any]], pdf: npt.NDArray[np.float32]
    ) -> None:
        """Put the results of one tile in their place.

        Parameters
        ----------
        tile
            The tile as read from the catalogue.
        columns
            Computed columns, ``(n_galaxies,)`` each; every tile brings the same ones.
        pdf
            Densities on the grid, ``(n_galaxies, n_grid)``.

        Raises
        ------
        ResultError
            The columns differ from those of an earlier tile, or ``z_mode`` is missing.
        ShapeMismatchError
            ``pdf`` or a column does not fit the tile or the grid.
        """
        wanted = (tile.n_galaxies, len(self._z_grid))
        if pdf.shape != wanted:
            raise ShapeMismatchError("pdf", pdf.shape, wanted)
        for name, column in columns.items():
            if column.shape != wanted[:1]:
                raise ShapeMismatchError(name, column.shape, wanted[:1])
        scratch = self._allocate(set(columns))
        density = quantiles(pdf, self._z_grid) if self._is_compact else pdf
        scratch.put(tile, columns, density)

    def finish(self, tile_rows: Sequence[Mapping[str, object]]) -> dict[str, Path]:
        """Write the files and return their paths by name.

        ``tile_rows`` are the rows of ``tiles.parquet``, one for each tile.

        Raises
        ------
        IncompleteResultsError
            A tile was never written.
        """
        scratch = self._scratch
        n_written = scratch.n_written if scratch is not None else 0
        if scratch is None or n_written != self._catalog.n_rows:
            raise IncompleteResultsError(n_written, self._catalog.n_rows)
        names = ("photoz.parquet", "photoz.fits", "pdfs.hdf5", "tiles.parquet")
        paths = {name: self._directory / name for name in names}
        write_table(paths["photoz.parquet"], scratch, self._provenance)
        write_fits(
            paths["photoz.fits"],
            scratch,
            self._z_grid,
            provenance=self._provenance,
            is_compact=self._is_compact,
        )
        write_ensemble(paths["pdfs.hdf5"], scratch, self._z_grid, is_compact=self._is_compact)
        write_tiles(paths["tiles.parquet"], tile_rows)
        self.close()
        return paths

    def _allocate(self, names: set[str]) -> Scratch:
        """Scratch for these columns, the same for all tiles."""
        if self._scratch is None:
            if "z_mode" not in names:
                raise ResultError("the column z_mode is missing")
            n_values = len(PROBABILITIES) if self._is_compact else len(self._z_grid)
            self._scratch = Scratch.create(
                Path(self._folder.name), self._catalog, columns=ordered(names), n_values=n_values
            )
        if {column.name for column in self._scratch.columns} != names:
            raise ResultError("tiles differ in their columns")
        return self._scratch
