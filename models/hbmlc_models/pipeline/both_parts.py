"""Both parts of the method, selection and network, before anything is known of a tile."""

from __future__ import annotations

from dataclasses import dataclass

from hbmlc_models.arrays import FloatArray
from hbmlc_models.fusion import pool
from hbmlc_models.metalearning.infer import network_outputs, outputs_density
from hbmlc_models.metalearning.train import MetaNetwork
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.context import ContextScale
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.posterior import labelled_density
from hbmlc_models.tile import Tile

__all__ = ["BothParts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BothParts:
    """A population and a network that answer for the same galaxies.

    All densities are ``(n_galaxies, n_grid)``, and their rows sum to one.
    """

    frame: LuptitudeFrame
    """Frame of the photometry."""
    context: ContextScale
    """Scale of the optional columns."""
    population: Mixture
    """Galaxy types."""
    network: MetaNetwork | None
    """Network before adaptation, if there is one for these bands."""
    z_grid: FloatArray
    """Nodes of redshift, ``(n_grid,)``."""

    def selection_density(self, photometry: Photometry) -> FloatArray:
        """Density by the population."""
        return labelled_density(photometry, self.frame, self.population, self.z_grid)

    def network_density(self, tile: Tile) -> FloatArray | None:
        """Density by the network; ``None`` without one."""
        if self.network is None:
            return None
        scores = self.context.scores(tile.extras, tile.n_galaxies)
        outputs = network_outputs(self.network, tile.photometry, self.frame, scores)
        return outputs_density(outputs, self.z_grid, head=self.network.architecture.head)

    def pooled_density(self, tile: Tile, *, share: float) -> FloatArray:
        """Density by both, the network with its ``share``."""
        selection = self.selection_density(tile.photometry)
        network = self.network_density(tile) if share > 0 else None
        return selection if network is None else pool(selection, network, share)
