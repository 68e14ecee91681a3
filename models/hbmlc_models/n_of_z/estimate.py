r"""The redshift distribution of a sample: mean p(z), corrected by the residuals of labels.

.. math:: n(z) = \frac{1}{N_0} \sum_{S=0} p(z \mid F_i, S=0)
          + \lambda\, c\, K\, \frac{\sum_{\mathrm{held}} w_i
            \big[\delta(z - z_i) - p(z \mid F_i, S=0)\big]}{\sum_{\mathrm{held}} w_i}

The first term is right where p(z) is, the second repairs it where the weights :math:`w` are: doubly
robust (Robins, Rotnitzky & Zhao 1994). K smooths over cells; :math:`c \le 1` is the share of the
sample that the truncated weights of the labels stand for, so that what is found where labels are is
not carried to where none are; :math:`\lambda` is the positive-part James-Stein factor
:math:`1 - \mathrm{tr}\,V / |R|^2`, which drops a correction that is no larger than its own noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.n_of_z.cells import RedshiftCells
from hbmlc_models.n_of_z.sums import Sums

__all__ = ["Estimate", "correct"]

MIN_LABELS = 10.0
"""Effective labels (Kish) below which residuals are not believed: their own scatter is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Distributions of some samples as probabilities of cells, for three values of β."""

    n_of_z: FloatArray
    """Recommended distributions, ``(n_samples, 3, n_cells)``; they sum to one."""
    plug_in: FloatArray
    """Mean p(z) of the unlabelled galaxies, ``(n_samples, 3, n_cells)``."""
    correction: FloatArray
    """Smoothed residuals times the coverage, not shrunk, ``(n_samples, 3, n_cells)``."""
    shrinkage: FloatArray
    """Share λ of the correction that is applied, ``(n_samples,)``."""
    coverage: FloatArray
    """Share c of the sample that weighted labels stand for, ``(n_samples,)``."""

    def mean_z(self, cells: RedshiftCells) -> FloatArray:
        """Mean redshift, ``(n_samples, 3)``; NaN for an empty sample."""
        total = self.n_of_z.sum(axis=2)
        return np.where(total > 0, self.n_of_z @ cells.centres, np.nan)


def correct(sums: Sums, cells: RedshiftCells, *, shrinkage: FloatArray | None = None) -> Estimate:
    """Distributions of the samples of ``sums``; ``shrinkage`` is measured unless it is given."""
    plug_in = sums.total / np.maximum(sums.count, 1)[:, None, None]
    kernel = cells.kernel
    weight = np.where(sums.weight > 0, sums.weight, 1.0)
    raw = sums.residual / weight[..., None] @ kernel.T
    coverage = np.minimum(sums.odds / np.maximum(sums.count, 1), 1) * (sums.count > 0)
    if shrinkage is None:
        shrinkage = _james_stein(raw[:, 1], sums, kernel)
    correction = coverage[:, None, None] * raw
    found = np.maximum(plug_in + shrinkage[:, None, None] * correction, 0)
    total = found.sum(axis=2, keepdims=True)
    return Estimate(
        n_of_z=found / np.maximum(total, 1e-300),
        plug_in=plug_in,
        correction=correction,
        shrinkage=shrinkage,
        coverage=coverage,
    )


def _james_stein(signal: FloatArray, sums: Sums, kernel: FloatArray) -> FloatArray:
    """Share of ``signal`` ``(n_samples, n_cells)`` that is more than its expected noise."""
    weight = np.where(sums.weight[:, 1] > 0, sums.weight[:, 1], 1.0)
    size = weight**2 / np.where(sums.spread[:, -1, -1] > 0, sums.spread[:, -1, -1], np.inf)
    scatter = np.einsum("ij,sjk,ik->s", kernel, sums.residual_scatter(), kernel, optimize=True)
    noise = scatter / weight**2 / (1 - 1 / np.maximum(size, 2))
    power = np.maximum((signal**2).sum(axis=1), 1e-300)
    return np.where(size >= MIN_LABELS, np.maximum(1 - noise / power, 0), 0)
