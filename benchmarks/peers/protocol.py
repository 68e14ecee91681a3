"""What every peer is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.tile import Tile

__all__ = ["GRID", "Peer", "PeerAnswer"]

GRID = np.linspace(0.0, 3.0, 301)
"""Redshifts at which densities are compared; RAIL's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAnswer:
    """Redshifts of all galaxies of a catalogue."""

    z_phot: FloatArray
    """Point estimates, ``(n_galaxies,)``."""
    pdf: FloatArray | None = None
    """Densities on ``GRID``, ``(n_galaxies, 301)``, where the method has any."""


class Peer(Protocol):
    """A method; both steps see the whole catalogue, and only labelled galaxies have a redshift."""

    def fit(self, tile: Tile) -> None:
        """Learn from the labelled galaxies."""
        ...

    def predict(self, tile: Tile) -> PeerAnswer:
        """Answer for every galaxy."""
        ...
