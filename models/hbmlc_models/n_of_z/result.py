"""Estimated redshift distributions of a catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.n_of_z.cells import RedshiftCells
from hbmlc_models.n_of_z.estimate import Estimate
from hbmlc_models.n_of_z.sums import Sums

__all__ = ["NOfZ", "TileNOfZ"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileNOfZ:
    """Distributions of one tile's unlabelled galaxies, samples as in ``NOfZ``."""

    name: str
    """Name of the tile."""
    n_galaxies: FloatArray
    """Unlabelled galaxies in each sample, ``(n_samples,)``."""
    density: FloatArray
    """n(z) [per unit z], ``(n_samples, n_cells)`` float32; 0 for an empty sample."""
    std: FloatArray
    """Its standard deviation, sampling and β, ``(n_samples, n_cells)`` float32."""
    mean_z: tuple[float, float, float]
    """Mean redshift of all, one prior standard deviation of β lower, as it is, one higher; NaN
    where all galaxies are labelled."""
    mean_z_std: float
    """Its standard deviation, sampling and β."""

    def columns(self) -> Mapping[str, float]:
        """Columns of the table of tiles."""
        low, middle, high = self.mean_z
        return {
            "nz_mean": middle,
            "nz_mean_std": self.mean_z_std,
            "nz_mean_beta_low": low,
            "nz_mean_beta_high": high,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NOfZ:
    """Distributions of the unlabelled galaxies: all of them, then tomographic bins."""

    cells: RedshiftCells
    """Cells on which they are estimated."""
    z_phot_edges: FloatArray
    """Edges of the tomographic bins, ``(n_samples,)``."""
    sums: Sums
    """What they are estimated from."""
    estimate: Estimate
    """Distributions as probabilities of cells."""
    sampling: FloatArray
    """Sampling covariance of the densities, ``(n_samples, n_cells, n_samples, n_cells)``."""
    beta_shift: FloatArray
    """Change of the densities for one prior standard deviation of β, ``(n_samples, n_cells)``."""
    n_patches: int
    """Patches of sky between which the sampling covariance was measured; 0: between galaxies."""
    tiles: Sequence[TileNOfZ]
    """The same by tile."""

    @property
    def names(self) -> tuple[str, ...]:
        """``all``, ``bin_1``, ``bin_2`` and so on."""
        return ("all", *(f"bin_{k}" for k in range(1, len(self.z_phot_edges))))

    @property
    def density(self) -> FloatArray:
        """n(z) [per unit z] for β lower, as it is, higher, ``(n_samples, 3, n_cells)``."""
        return self.estimate.n_of_z / self.cells.width

    @property
    def beta_covariance(self) -> FloatArray:
        """Covariance along β, the same shape as ``sampling``."""
        return np.multiply.outer(self.beta_shift, self.beta_shift)

    @property
    def std(self) -> FloatArray:
        """Standard deviation of the densities, sampling and β, ``(n_samples, n_cells)``."""
        own = np.einsum("sksk->sk", self.sampling)
        return np.sqrt(np.maximum(own, 0) + self.beta_shift**2)

    @property
    def mean_z_std(self) -> FloatArray:
        """Standard deviation of the mean redshifts, sampling and β, ``(n_samples,)``."""
        z = self.cells.centres * self.cells.width
        sampling = np.einsum("sksl,k,l->s", self.sampling, z, z)
        return np.sqrt(np.maximum(sampling, 0) + (self.beta_shift @ z) ** 2)
