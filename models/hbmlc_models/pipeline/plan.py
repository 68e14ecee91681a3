"""Which tiles are worked on together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hbmlc_models.pipeline.options import CalibrationOptions

__all__ = ["TileSize", "plan_units"]


class TileSize(Protocol):
    """What the plan needs to know of a tile."""

    @property
    def index(self) -> int:
        """Position of the tile in its catalogue."""
        ...

    @property
    def n_galaxies(self) -> int:
        """Galaxies in it."""
        ...


def plan_units(
    entries: Sequence[TileSize], options: CalibrationOptions
) -> tuple[tuple[int, ...], ...]:
    """Tile indices of each work unit; neighbouring small tiles share one."""
    units: list[tuple[int, ...]] = []
    open_unit: list[int] = []
    size = 0
    for entry in entries:
        open_unit.append(entry.index)
        size += entry.n_galaxies
        if size >= options.min_tile_galaxies:
            units.append(tuple(open_unit))
            open_unit, size = [], 0
    if open_unit:
        units.append(tuple(open_unit))
    return tuple(units)
