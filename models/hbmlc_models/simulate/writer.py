"""Simulated catalogues on disk: what a survey would upload, and the truth beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hbmlc_models.photometry import mag_err_from_flux, mag_from_flux
from hbmlc_models.simulate.depth import draw_depth, lsst_depth
from hbmlc_models.simulate.filters import FilterSet
from hbmlc_models.simulate.selection import draw_selection
from hbmlc_models.simulate.simulator import MAG_LIMIT, SimulatedCatalog, Simulator
from hbmlc_models.simulate.world import World

__all__ = ["SurveyPlan", "TileWriter", "simulate_survey"]

_TILE_DEGREES = 0.5
_BLOCK = 200_000
"""Most galaxies of a tile that are in memory at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyPlan:
    """What to simulate."""

    n_galaxies: int
    """Galaxies in all tiles together."""
    n_tiles: int
    """Tiles, each with its own depth and selection."""
    years: float | None = None
    """Years of LSST; ``None`` draws a depth for each tile."""
    mag_limit: float = MAG_LIMIT
    """Faintest observed magnitude in the selection band."""


class TileWriter:
    """Appends simulated tiles to ``catalog.parquet`` and ``truth.parquet`` in a directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.catalog = directory / "catalog.parquet"
        """The upload."""
        self.truth = directory / "truth.parquet"
        """True redshifts and selection probabilities, by id."""
        self._writers: dict[Path, pq.ParquetWriter] = {}
        self._next_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def write(self, simulated: SimulatedCatalog, *, rng: np.random.Generator) -> None:
        """Append one tile, with positions drawn in a square of half a degree."""
        tile = simulated.tile
        n = tile.n_galaxies
        ids = np.arange(self._next_id, self._next_id + n)
        self._next_id += n
        ra, dec = _centre(tile.index)
        names = np.full(n, tile.index)
        columns: dict[str, pa.Array] = {"id": pa.array(ids), "tile": pa.array(names)}
        columns["ra"] = pa.array(ra + _TILE_DEGREES * (rng.random(n) - 0.5))
        columns["dec"] = pa.array(dec + _TILE_DEGREES * (rng.random(n) - 0.5))
        with np.errstate(invalid="ignore"):
            mag = mag_from_flux(tile.photometry.flux)
            mag_err = mag_err_from_flux(tile.photometry.flux, tile.photometry.flux_err)
        # A non-detection is written as RAIL writes it: an infinite magnitude.
        mag = np.where(np.isnan(mag), np.inf, mag)
        for k, band in enumerate(tile.photometry.bands):
            columns[f"mag_{band}"] = _single(mag[:, k])
            columns[f"mag_err_{band}"] = _single(mag_err[:, k])
        z_spec = tile.z_spec.astype(np.float32)
        columns["z_spec"] = pa.array(z_spec, mask=np.isnan(z_spec))
        columns["selected"] = pa.array(tile.selected)
        columns |= {name: _single(values) for name, values in sorted(tile.extras.items())}
        self._append(self.catalog, pa.table(columns))
        truth = {"id": ids, "tile": names, "z_true": simulated.z_true}
        self._append(self.truth, pa.table({**truth, "p_select": simulated.p_select}))

    def _append(self, path: Path, table: pa.Table) -> None:
        if path not in self._writers:
            self._writers[path] = pq.ParquetWriter(path, table.schema, compression="zstd")
        self._writers[path].write_table(table)


def simulate_survey(
    world: World,
    filters: FilterSet,
    plan: SurveyPlan,
    *,
    directory: Path,
    seed: int,
    on_galaxies: Callable[[int], None] | None = None,
) -> TileWriter:
    """Simulate a survey tile by tile and write it; memory does not grow with its size."""
    simulator = Simulator(world, filters=filters, mag_limit=plan.mag_limit)
    sizes = np.full(plan.n_tiles, plan.n_galaxies // plan.n_tiles)
    sizes[: plan.n_galaxies % plan.n_tiles] += 1
    with TileWriter(directory) as writer:
        for index, size in enumerate(sizes):
            rng = np.random.default_rng([seed, index])
            depth = draw_depth(filters, rng, mag_limit=plan.mag_limit)
            if plan.years is not None:
                depth = lsst_depth(plan.years)
            selection = draw_selection(
                rng,
                bands=filters.bands,
                selection_band=filters.selection_band,
                mag_limit=plan.mag_limit,
            )
            for start in range(0, int(size), _BLOCK):
                simulated = simulator.draw(
                    min(_BLOCK, int(size) - start),
                    depth=depth,
                    selection=selection,
                    rng=rng,
                    name=str(index),
                    index=index,
                )
                writer.write(simulated, rng=rng)
                if on_galaxies is not None:
                    on_galaxies(simulated.tile.n_galaxies)
    return writer


def _centre(index: int) -> tuple[float, float]:
    """Centre of a tile [deg] on a ring of rows around the southern sky."""
    per_row = 64
    ra = 30.0 + _TILE_DEGREES * 1.2 * (index % per_row)
    return ra % 360.0, -30.0 + _TILE_DEGREES * 1.05 * ((index // per_row) % 100)


def _single(values: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> pa.Array:
    """Values in single precision."""
    return pa.array(np.ascontiguousarray(values, dtype=np.float32))
