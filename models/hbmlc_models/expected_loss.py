r"""The redshift of least expected loss, and that loss: the risk of answering with one number.

The loss is the squared scaled error, cut at one: an outlier is an outlier, however far.

.. math:: L(z, \hat z) = \min\big((\hat z - z)^2 / (0.06\,(1 + z))^2,\; 1\big)

One minus the loss is zero unless answer and truth are near, so only a band of the table of losses
is ever multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["LOSS_SCALE", "LeastLoss", "least_loss"]

LOSS_SCALE = 0.06
"""Scaled error at which the loss of a point estimate saturates."""
BLOCK = 40
"""Answers weighed at once; few enough that the truths near any of them are a narrow band."""
MAX_EXPONENT = 60.0
"""Tilts are cut off here: further down single precision has no numbers left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastLoss:
    """The best answers to some densities; both ``(n_galaxies,)``."""

    z: FloatArray
    """Redshift of least expected loss, a node of the grid."""
    risk: FloatArray
    """Its expected loss: 0 where the density is certain, 1 where any answer is a guess."""


def least_loss(pdf: FloatArray, z_grid: FloatArray, *, slope: float = 0.0) -> LeastLoss:
    """Best answers to ``pdf`` ``(n_galaxies, n_grid)``, multiplied by ``exp(slope z)`` first.

    Single precision: an answer may differ from the exact one where the two are equally good.
    """
    exponent = slope * z_grid
    tilt = np.exp(np.maximum(exponent - exponent.max(), -MAX_EXPONENT))
    weight = np.asarray(pdf, dtype=np.float32)
    profit = (tilt[:, None] * _profit_table(z_grid)).astype(np.float32)
    expected = np.empty(weight.shape, dtype=np.float32)
    for start in range(0, len(z_grid), BLOCK):
        answers = slice(start, min(start + BLOCK, len(z_grid)))
        near = np.flatnonzero(profit[:, answers].any(axis=1))
        truths = slice(near[0], near[-1] + 1)
        expected[:, answers] = weight[:, truths] @ profit[truths, answers]
    best = expected.argmax(axis=1)
    total = weight @ tilt.astype(np.float32)
    share = expected[np.arange(len(best)), best] / np.maximum(total, np.float32(1e-37))
    return LeastLoss(z=z_grid[best], risk=np.clip(1 - share.astype(float), 0, 1))


def _profit_table(z_grid: FloatArray) -> FloatArray:
    """One minus the loss of answering column j when row i is true, ``(n_grid, n_grid)``."""
    scaled = (z_grid[None, :] - z_grid[:, None]) / (1 + z_grid[:, None])
    return np.maximum(1 - (scaled / LOSS_SCALE) ** 2, 0.0)
