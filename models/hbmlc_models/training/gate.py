r"""The gate: whether a new version beats the present one, or was lucky.

Both versions answered for the same held-out labels, whose difficulty they share, so losses are
compared galaxy by galaxy. With weights :math:`w` that make the labels imitate the sky and
differences :math:`d` of the two losses,

.. math:: \bar d = \frac{\sum w d}{\sum w}, \qquad
          s = \frac{\sqrt{\sum w^2 (d - \bar d)^2}}{\sum w}.

The new version is better where :math:`\bar d + 1.645\, s < 0`, unless scatter or outliers of its
point estimates are worse beyond doubt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray, ShapeMismatchError
from hbmlc_models.evaluate.bootstrap import median_error, outlier_share, paired_ratio

__all__ = ["GateVerdict", "Scores", "beats"]

CONFIDENCE = 1.645
"""Standard errors by which the loss has to be lower: one-sided 95 %."""
_NOT_WORSE: dict[str, Callable[[FloatArray], FloatArray]] = {
    "scatter": median_error,
    "share of outliers": outlier_share,
}
"""What the new version may not be worse in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """How a version fared with each held-out galaxy; all ``(n_held_out,)``."""

    cde_loss: FloatArray
    """Conditional density loss; lower is better."""
    scaled_error: FloatArray
    """Scaled error of the point estimate."""
    weight: FloatArray
    """Unlabelled galaxies that each stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVerdict:
    """Whether a new version beats another, and why."""

    is_better: bool
    """Whether it does."""
    reason: str
    """The verdict in words."""
    n_held_out: int
    """Galaxies that decided."""
    compared_with: str | None = None
    """The other version; ``None`` where there was none to beat."""
    difference: float | None = None
    """Weighted mean of the new loss minus the other."""
    standard_error: float | None = None
    """Its standard error."""

    def as_dict(self) -> dict[str, object]:
        """JSON document."""
        return asdict(self)


def beats(
    new: Scores, current: Scores | None, *, against: str, rng: np.random.Generator
) -> GateVerdict:
    """Compare a new version with the current one, called ``against``, on the same galaxies.

    Raises
    ------
    ShapeMismatchError
        The two did not answer for the same galaxies.
    """
    n_held_out = len(new.cde_loss)
    if current is None:
        reason = f"There is nothing to beat: {against} has no answer for these bands."
        return GateVerdict(is_better=True, reason=reason, n_held_out=n_held_out)
    if current.cde_loss.shape != new.cde_loss.shape:
        raise ShapeMismatchError("current", current.cde_loss.shape, new.cde_loss.shape)
    mean, error = _weighted_mean(new.cde_loss - current.cde_loss, new.weight)
    gain = f"CDE loss {mean:+.3f} ± {error:.3f} against {against}"
    worse = None
    if mean + CONFIDENCE * error < 0:
        worse = _worse(new.scaled_error, current.scaled_error, rng=rng)
        reason = f"It is better ({gain})." if worse is None else f"Its {worse} ({gain})."
        is_better = worse is None
    else:
        reason = f"It is not better by more than chance allows ({gain})."
        is_better = False
    return GateVerdict(
        is_better=is_better,
        reason=reason,
        n_held_out=n_held_out,
        compared_with=against,
        difference=mean,
        standard_error=error,
    )


def _weighted_mean(values: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """Weighted mean of ``values`` ``(n,)`` and its standard error."""
    total = float(weight.sum())
    mean = float(weight @ values) / total
    return mean, float(np.sqrt(np.sum(weight**2 * (values - mean) ** 2))) / total


def _worse(new: FloatArray, current: FloatArray, *, rng: np.random.Generator) -> str | None:
    """Name the figure of merit in which the new version is worse beyond doubt, if there is one."""
    if np.array_equal(new, current):
        return None
    for name, statistic in _NOT_WORSE.items():
        ratio = paired_ratio(new, current, statistic, rng=rng)
        if ratio.low > 1:
            return f"{name} is worse by a factor of {ratio.value:.2f}"
    return None
