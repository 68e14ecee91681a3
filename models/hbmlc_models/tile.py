"""A tile: the galaxies of one patch of sky, as everything after ``formats`` sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray, IntArray, ShapeMismatchError
from hbmlc_models.photometry import Photometry, concatenate_photometry

__all__ = ["Tile", "merge_tiles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Galaxies of one patch of sky.

    Raises
    ------
    ShapeMismatchError
        A per-galaxy array does not have one value for each galaxy.
    """

    name: str
    """The caller's name of the tile, or the HEALPix number, as text."""
    index: int
    """Position of the tile among the tiles of its catalogue."""
    row: IntArray
    """Position of each galaxy in the upload, ``(n_galaxies,)``."""
    photometry: Photometry
    """Fluxes of the galaxies."""
    z_spec: FloatArray
    """Spectroscopic redshifts, ``(n_galaxies,)``; NaN without one."""
    selected: BoolArray
    """``(n_galaxies,)``; True where the spectroscopic survey selected the galaxy."""
    extras: Mapping[str, FloatArray] = field(default_factory=dict[str, FloatArray])
    """Optional columns ``(n_galaxies,)``: ``size`` [arcsec], ``ellipticity``, ``concentration``,
    ``density``, ``depth_<band>`` [5-sigma AB mag], ``seeing_<band>`` [arcsec]."""
    ra: FloatArray | None = None
    """Right ascension [deg], ``(n_galaxies,)``, where the upload has positions."""
    dec: FloatArray | None = None
    """Declination [deg], ``(n_galaxies,)``, where the upload has positions."""

    def __post_init__(self) -> None:
        wanted = (self.photometry.n_galaxies,)
        columns = {"row": self.row, "z_spec": self.z_spec, "selected": self.selected}
        columns |= dict(self.extras)
        columns |= {"ra": self.ra, "dec": self.dec}
        for name, column in columns.items():
            if column is not None and column.shape != wanted:
                raise ShapeMismatchError(name, column.shape, wanted)

    @property
    def n_galaxies(self) -> int:
        """Number of galaxies."""
        return self.photometry.n_galaxies

    @property
    def is_labelled(self) -> BoolArray:
        """``(n_galaxies,)``; True where a galaxy was selected and has a spectroscopic redshift."""
        return self.selected & np.isfinite(self.z_spec)

    @property
    def n_labelled(self) -> int:
        """Number of labelled galaxies."""
        return int(self.is_labelled.sum())

    def n_labels_beyond(self, z_max: float) -> int:
        """Number of labels above ``z_max``."""
        return int(np.sum(self.is_labelled & (self.z_spec > z_max)))

    def labels_within(self, z_max: float) -> Tile:
        """Return the tile without the labels above ``z_max``; the very same where it has none."""
        if self.n_labels_beyond(z_max) == 0:
            return self
        is_beyond = self.is_labelled & (self.z_spec > z_max)
        return replace(self, z_spec=np.where(is_beyond, np.nan, self.z_spec))

    def take(self, index: IntArray | BoolArray) -> Tile:
        """Return the same tile with the galaxies at ``index`` (positions or mask) only."""
        return Tile(
            name=self.name,
            index=self.index,
            row=self.row[index],
            photometry=self.photometry.take(index),
            z_spec=self.z_spec[index],
            selected=self.selected[index],
            extras={name: column[index] for name, column in self.extras.items()},
            ra=None if self.ra is None else self.ra[index],
            dec=None if self.dec is None else self.dec[index],
        )


def merge_tiles(tiles: Sequence[Tile]) -> Tile:
    """One tile with the galaxies of all, in order; it has the name and index of the first.

    Tiles of one catalogue have the same bands and optional columns.
    """
    first = tiles[0]
    if len(tiles) == 1:
        return first
    return Tile(
        name=first.name,
        index=first.index,
        row=np.concatenate([tile.row for tile in tiles]),
        photometry=concatenate_photometry([tile.photometry for tile in tiles]),
        z_spec=np.concatenate([tile.z_spec for tile in tiles]),
        selected=np.concatenate([tile.selected for tile in tiles]),
        extras={
            name: np.concatenate([tile.extras[name] for tile in tiles]) for name in first.extras
        },
        ra=_join([tile.ra for tile in tiles]),
        dec=_join([tile.dec for tile in tiles]),
    )


def _join(columns: list[FloatArray | None]) -> FloatArray | None:
    """Optional columns one after the other; none where one is missing."""
    present = [column for column in columns if column is not None]
    return np.concatenate(present) if len(present) == len(columns) else None
