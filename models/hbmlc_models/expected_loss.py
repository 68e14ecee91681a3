r"""The redshift of least expected loss, and that loss: the risk of answering with one number.

The risk is the scaled error, cut at one: an outlier is an outlier, however far. Below that an error
counts by its size, so that the answer is the median of the peak that holds most. Densities have
longer tails towards high redshift, and such answers fall short of their truths in the mean; so what
an answer is short of is charged too, at a price :math:`\lambda`:

.. math:: L(z, \hat z) = \min\big(|\hat z - z| / (0.2\,(1 + z)),\; 1\big)
          + \lambda\,(z - \hat z)

Of two answers nearly as good it is the higher. One price does not do the same everywhere: where
densities are sharp next to nothing, where tails are heavy too much, and it is these that densities
know least. Within a peak it does no harm; what costs is that answers leap to a farther one. So each
survey has the highest price at which next to none do.

The second term needs but the mean of the density, and one minus the first is zero unless answer and
truth are near: only a band of the table of losses is ever multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.metrics import outlier_fraction

__all__ = [
    "BIAS_PRICE",
    "LOSS_SCALE",
    "MAX_LEAPING",
    "MAX_PRICE",
    "LeastLoss",
    "bias_price",
    "least_loss",
]

LOSS_SCALE = 0.2
"""Scaled error at which the loss of a point estimate saturates: somewhat beyond an outlier's."""
BIAS_PRICE = 0.06
"""Price of an answer that is too low [per unit z] where no survey says which."""
MAX_LEAPING = 0.0015
"""Share of a survey's answers that its price makes leap, as far as outliers are wrong, at most."""
MAX_PRICE = 0.14
"""Price at most, even if nothing leaps."""
N_HALVINGS = 10
"""Halvings of the interval in which a price is looked for."""
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
    """Expected first term: 0 where the density is certain, 1 where any answer is a guess."""


def least_loss(
    pdf: FloatArray, z_grid: FloatArray, *, slope: float = 0.0, price: float = BIAS_PRICE
) -> LeastLoss:
    """Best answers to ``pdf`` ``(n_galaxies, n_grid)``, multiplied by ``exp(slope z)`` first.

    Single precision: an answer may differ from the exact one where the two are equally good.
    """
    expected, total = _expected_profit(pdf, z_grid, slope)
    best = _best(expected, total, price * z_grid)
    share = expected[np.arange(len(best)), best] / np.maximum(total, np.float32(1e-37))
    return LeastLoss(z=z_grid[best], risk=np.clip(1 - share.astype(float), 0, 1))


def bias_price(pdf: FloatArray, z_grid: FloatArray) -> float:
    """Highest price at which ``MAX_LEAPING`` of the answers to ``pdf`` leap, and no more.

    ``pdf`` is ``(n_galaxies, n_grid)``. ``MAX_PRICE`` at most; ``BIAS_PRICE`` where there are no
    galaxies.
    """
    if len(pdf) == 0:
        return BIAS_PRICE
    expected, total = _expected_profit(pdf, z_grid, slope=0.0)
    plain = z_grid[_best(expected, total, 0 * z_grid)]

    def is_fair(price: float) -> bool:
        answers = z_grid[_best(expected, total, price * z_grid)]
        return outlier_fraction(answers, plain) <= MAX_LEAPING

    low, high = 0.0, MAX_PRICE
    if is_fair(high):
        return high
    for _ in range(N_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if is_fair(middle) else (low, middle)
    return low


def _best(expected: FloatArray, total: FloatArray, prices: FloatArray) -> IntArray:
    """Best nodes ``(n_galaxies,)``, each answer with its price, ``(n_grid,)``."""
    return (expected + total[:, None] * prices.astype(np.float32)).argmax(axis=1)


def _expected_profit(
    pdf: FloatArray, z_grid: FloatArray, slope: float
) -> tuple[FloatArray, FloatArray]:
    """One minus the first term for each answer ``(n_galaxies, n_grid)``, times a total ``(n,)``."""
    weight = np.asarray(pdf, dtype=np.float32)
    table = _profit_table(float(z_grid[0]), float(z_grid[-1]), len(z_grid), slope)
    expected = np.empty(weight.shape, dtype=np.float32)
    for block in table.blocks:
        expected[:, block.answers] = weight[:, block.truths] @ block.profit
    return expected, weight @ table.tilt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """What some answers gain where each of the truths near them holds."""

    answers: slice
    truths: slice
    profit: FloatArray
    """One minus the loss, tilted, ``(n_truths, n_answers)`` float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProfitTable:
    """One minus the loss on a grid, without its zeros."""

    tilt: FloatArray
    """``(n_grid,)`` float32."""
    blocks: tuple[_Block, ...]


# A catalogue has one grid and a few slopes, yet often thousands of small tiles.
@lru_cache(maxsize=16)
def _profit_table(first: float, last: float, n_grid: int, slope: float) -> _ProfitTable:
    """Table of an equidistant grid."""
    z = np.linspace(first, last, n_grid)
    tilt = np.exp(np.maximum(slope * z - max(slope * first, slope * last), -MAX_EXPONENT))
    scaled = (z[None, :] - z[:, None]) / (1 + z[:, None])
    profit = tilt[:, None] * np.maximum(1 - np.abs(scaled) / LOSS_SCALE, 0.0)
    blocks: list[_Block] = []
    for start in range(0, n_grid, BLOCK):
        answers = slice(start, min(start + BLOCK, n_grid))
        near = np.flatnonzero(profit[:, answers].any(axis=1))
        truths = slice(int(near[0]), int(near[-1]) + 1)
        own = np.ascontiguousarray(profit[truths, answers], dtype=np.float32)
        blocks.append(_Block(answers=answers, truths=truths, profit=own))
    return _ProfitTable(tilt=tilt.astype(np.float32), blocks=tuple(blocks))
