"""Where the galaxies lie: positions in degrees, and the division into tiles."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.formats.errors import PositionOutOfRangeError
from hbmlc_models.formats.findings import Finding, FindingCode, note, warn
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.normalise import positions
from hbmlc_models.formats.shown import shown
from hbmlc_models.formats.tiling import TileColumn, Tiling, healpix_tiling, single_tiling

__all__ = ["divide", "usable_positions"]

_MIN_GUESSED_TILE = 5
"""A guessed tile column with fewer galaxies a tile on average is something else."""
_RADIANS = 6.3
"""Right ascensions of a whole column below this may be radians [rad]."""


def usable_positions(
    ra: FloatArray | None,
    dec: FloatArray | None,
    mapping: ColumnMapping,
    counts: Counter[str],
    findings: list[Finding],
) -> tuple[FloatArray | None, FloatArray | None]:
    """Positions [deg], ``(n_rows,)``, already in degrees but for their range; ``None`` without.

    Raises
    ------
    PositionOutOfRangeError
        There are position columns and none of their values is one.
    """
    if ra is None or dec is None:
        return None, None
    ra, dec = positions(ra, dec, counts)
    if not np.isfinite(ra).any():
        if counts["position_out_of_range"]:
            raise PositionOutOfRangeError(
                "No galaxy has a usable position; right ascension is -180…360 and declination "
                "-90…90, both in degrees."
            )
        return ra, dec
    is_lsst = (mapping.ra or "").lower().startswith("coord_ra")
    is_small = float(np.nanmax(ra)) < _RADIANS and float(np.nanmax(np.abs(dec))) < _RADIANS / 4
    if is_small and mapping.position_unit is None and mapping.ra is not None:
        # The pipelines of LSST write radians; elsewhere it may be a field there.
        say = warn if is_lsst else note
        findings.append(
            say(
                FindingCode.POSITIONS_NOT_DEGREES,
                f"The positions {shown(mapping.ra or '')} and {shown(mapping.dec or '')} could be "
                "radians, and are read as degrees; map 'position_unit' if they are",
                column=mapping.ra,
                mapping={"position_unit": "rad"},
            )
        )
    return ra, dec


def divide(
    tiles: TileColumn | None,
    ra: FloatArray | None,
    dec: FloatArray | None,
    mapping: ColumnMapping,
    limits: IngestLimits,
    findings: list[Finding],
    *,
    n_rows: int,
    is_guessed: bool,
) -> tuple[Tiling, ColumnMapping]:
    """Tiles of the rows, and the mapping without a guessed tile column that is none."""
    tiling = tiles.tiling() if tiles is not None else None
    most_tiles = max(1, n_rows / _MIN_GUESSED_TILE)
    if tiling is not None and is_guessed and len(tiling.values) > most_tiles:
        findings.append(
            note(
                FindingCode.TILE_NOT_USED,
                f"column {shown(mapping.tile or '')} has too many values to be a tile; not used",
                column=mapping.tile,
                mapping={"tile": None},
            )
        )
        tiling, mapping = None, replace(mapping, tile=None)
    if tiling is None and ra is not None and dec is not None and np.isfinite(ra).any():
        tiling = healpix_tiling(ra, dec, mean_galaxies=limits.mean_tile_galaxies)
    return tiling or single_tiling(n_rows), mapping
