r"""How far estimated redshift distributions scatter, within and between samples.

Between patches of sky (a jackknife, which sees everything that differs from patch to patch), or
between galaxies where there are too few patches; and along the one direction that no data pin, β.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.n_of_z.cells import RedshiftCells
from hbmlc_models.n_of_z.estimate import Estimate, correct
from hbmlc_models.n_of_z.sums import Sums

__all__ = ["beta_shift", "galaxy_blocks", "galaxy_covariance", "jackknife_covariance"]


def beta_shift(estimate: Estimate) -> FloatArray:
    """Change of n(z) for one prior standard deviation of β, ``(n_samples, n_cells)``."""
    return 0.5 * (estimate.n_of_z[:, 2] - estimate.n_of_z[:, 0])


def galaxy_blocks(sums: Sums, estimate: Estimate, cells: RedshiftCells) -> FloatArray:
    """Covariance of each sample between galaxies, ``(n_samples, n_cells, n_cells)``.

    The limit of a bootstrap over galaxies with infinitely many resamples.
    """
    mean, residual = _influence(sums, estimate, cells)
    count = np.maximum(sums.count, 1)[:, None, None]
    weight = _correction_weight(sums, estimate)[:, None, None]
    return mean / count**2 + residual * weight**2


def galaxy_covariance(sums: Sums, estimate: Estimate, cells: RedshiftCells) -> FloatArray:
    """Covariance between galaxies, ``(n_samples, n_cells, n_samples, n_cells)``.

    The first sample is the union of the others, which share no galaxies.
    """
    n_samples, n_cells = len(sums.count), cells.n_cells
    found = np.zeros((n_samples, n_cells, n_samples, n_cells))
    mean, residual = _influence(sums, estimate, cells)
    count = np.maximum(sums.count, 1)
    weight = _correction_weight(sums, estimate)
    for one in range(n_samples):
        for other in {0, one}:
            # What two samples share is the smaller of them.
            block = mean[one] / (count[one] * count[other])
            block = block + residual[one] * weight[one] * weight[other]
            found[one, :, other], found[other, :, one] = block, block.T
    return found


def jackknife_covariance(
    parts: Sequence[Sums], cells: RedshiftCells, *, shrinkage: FloatArray
) -> FloatArray:
    """Covariance between patches of sky, ``(n_samples, n_cells, n_samples, n_cells)``.

    Each of ``parts`` holds the sums of one patch; their number less one is the rank.
    """
    whole = sum(parts[1:], start=parts[0])
    left_out = np.stack(
        [correct(whole - part, cells, shrinkage=shrinkage).n_of_z[:, 1] for part in parts]
    )
    flat = (left_out - left_out.mean(axis=0)).reshape(len(parts), -1)
    covariance = (len(parts) - 1) / len(parts) * flat.T @ flat
    return covariance.reshape(left_out.shape[1:] * 2)


def _influence(
    sums: Sums, estimate: Estimate, cells: RedshiftCells
) -> tuple[FloatArray, FloatArray]:
    """Scatter matrices of p(z) and of smoothed residuals, ``(n_samples, n_cells, n_cells)``."""
    p = estimate.plug_in[:, 1]
    mean = sums.outer - sums.count[:, None, None] * p[:, :, None] * p[:, None, :]
    kernel = cells.kernel
    return mean, kernel @ sums.residual_scatter() @ kernel.T


def _correction_weight(sums: Sums, estimate: Estimate) -> FloatArray:
    """What one unit of weighted residual adds to n(z), ``(n_samples,)``."""
    share = estimate.shrinkage * estimate.coverage
    weight = sums.weight[:, 1]
    return np.where(weight > 0, share, 0) / np.where(weight > 0, weight, 1)
