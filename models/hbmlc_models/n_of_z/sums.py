"""Sums over galaxies from which redshift distributions follow; sums of parts add up."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.n_of_z.bins import bin_of
from hbmlc_models.n_of_z.cells import RedshiftCells
from hbmlc_models.n_of_z.evidence import TileEvidence

__all__ = ["Sums", "sum_up"]

N_BETA = 3
"""β one prior standard deviation lower, as it is, one higher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over the galaxies of each sample; the axis of samples is ``n_samples``."""

    count: FloatArray
    """Unlabelled galaxies, ``(n_samples,)``."""
    total: FloatArray
    """Sum of their p(z) for each β, ``(n_samples, 3, n_cells)``."""
    outer: FloatArray
    """Sum of p(z) p(z)ᵀ, ``(n_samples, n_cells, n_cells)``."""
    odds: FloatArray
    """Unlabelled galaxies that the labelled stand for: sum of truncated odds, ``(n_samples,)``."""
    n_residuals: FloatArray
    """Labels that no fit has seen, ``(n_samples,)``."""
    weight: FloatArray
    """Sum of their odds for each β, ``(n_samples, 3)``."""
    residual: FloatArray
    """Weighted sum of truth minus p(z) for each β, ``(n_samples, 3, n_cells)``."""
    spread: FloatArray
    """Sum of r rᵀ with r = weight times (residual, 1), ``(n_samples, n_cells + 1, n_cells + 1)``:
    what a scatter about any mean follows from."""

    @classmethod
    def zeros(cls, n_samples: int, n_cells: int) -> Sums:
        """Sums over no galaxies."""
        return cls(
            count=np.zeros(n_samples),
            total=np.zeros((n_samples, N_BETA, n_cells)),
            outer=np.zeros((n_samples, n_cells, n_cells)),
            odds=np.zeros(n_samples),
            n_residuals=np.zeros(n_samples),
            weight=np.zeros((n_samples, N_BETA)),
            residual=np.zeros((n_samples, N_BETA, n_cells)),
            spread=np.zeros((n_samples, n_cells + 1, n_cells + 1)),
        )

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )

    def __sub__(self, other: Sums) -> Sums:
        return Sums(
            **{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)}
        )

    def residual_scatter(self) -> FloatArray:
        """Sum of squared weight times (r - r̄)(r - r̄)ᵀ, ``(n_samples, n_cells, n_cells)``."""
        weight = self.weight[:, 1]
        mean = self.residual[:, 1] / np.where(weight > 0, weight, 1)[:, None]
        n_samples, n_cells = mean.shape
        identity = np.broadcast_to(np.eye(n_cells), (n_samples, n_cells, n_cells))
        centred = np.concatenate([identity, -mean[:, :, None]], axis=2)
        return centred @ self.spread @ centred.transpose(0, 2, 1)

    def with_all(self) -> Sums:
        """The same, with the union of all samples in front."""
        every = {f.name: getattr(self, f.name) for f in fields(self)}
        return Sums(**{name: np.concatenate([v.sum(0)[None], v]) for name, v in every.items()})


def sum_up(
    evidence: TileEvidence, edges: FloatArray, cells: RedshiftCells, *, beta_scale: float
) -> Sums:
    """Sums over a tile for the bins with ``edges`` ``(n_bins + 1,)`` of the point estimate."""
    sums = Sums.zeros(len(edges) - 1, cells.n_cells)
    sample = bin_of(evidence.z_phot, edges)
    slopes = (beta_scale, 0.0, -beta_scale)
    for k in range(len(edges) - 1):
        rows = np.flatnonzero((sample == k) & ~evidence.is_labelled)
        p = evidence.probability[rows].astype(float)
        sums.count[k] = len(rows)
        sums.outer[k] = p.T @ p
        held = np.flatnonzero((sample == k) & (evidence.weight[:, 1] > 0))
        residuals = evidence.probability[held].astype(float)
        truth = np.eye(cells.n_cells)[evidence.z_cell[held]]
        sums.odds[k] = evidence.odds[sample == k].sum()
        sums.n_residuals[k] = len(held)
        for column, slope in enumerate(slopes):
            weight = evidence.weight[held, column].astype(float)
            difference = truth - cells.tilted(residuals, slope)
            sums.total[k, column] = cells.tilted(p, slope).sum(axis=0)
            sums.weight[k, column] = weight.sum()
            sums.residual[k, column] = weight @ difference
            if not slope:
                scaled = weight[:, None] * np.column_stack([difference, np.ones(len(held))])
                sums.spread[k] = scaled.T @ scaled
    return sums
