r"""Densities whose probability integral transform is flat: two numbers for a whole survey.

Where a galaxy's redshift falls in its own cumulative density, the PIT, is uniform if densities are
calibrated. A Beta law fitted to the PIT of labelled galaxies says how they are not,

.. math:: \hat F(z) = I_{F(z)}(a, b), \qquad \log a = w + s, \quad \log b = w - s,

with :math:`s` a shift and :math:`w` a width (both zero: nothing to mend); :math:`I` is the
regularised incomplete beta function. Labelled galaxies count by their odds of having no label. The
shift may be learnt from all of them, for it is not what a fit to labels hides; the width only from
those that no fit has seen. Both are held near zero where few labels, by their weights, speak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import betainc, betaln

from hbmlc_models.arrays import FloatArray
from hbmlc_models.balance import kish_size

__all__ = ["UNCHANGED", "PitSample", "Recalibration", "fit_recalibration"]

PRIOR_SCALE = 0.1
"""Prior spread of shift and width: densities are off by a tenth, not by factors."""
PIT_EDGE = 1e-4
"""A PIT nearer to 0 or 1 than this is an outlier, and says no more than that."""
N_NODES = 4097
"""Nodes of the tabulated map, denser towards 0 and 1, where it may be steep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PitSample:
    """Labelled galaxies as evidence; both ``(n_galaxies,)``."""

    pit: FloatArray
    """Cumulative density at the true redshift."""
    weight: FloatArray
    """How many galaxies without a label each stands for, in any unit."""

    def log_likelihood(self, shift: float, width: float) -> float:
        """Log likelihood of a Beta law, in effectively independent galaxies (Kish 1965)."""
        if len(self.pit) == 0:
            return 0.0
        a, b = np.exp(width + shift), np.exp(width - shift)
        pit = np.clip(self.pit, PIT_EDGE, 1 - PIT_EDGE)
        terms = (a - 1) * np.log(pit) + (b - 1) * np.log1p(-pit) - betaln(a, b)
        return kish_size(self.weight) * float(np.average(terms, weights=self.weight))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """Map of cumulative densities."""

    shift: float
    """Above zero where redshifts were higher than densities said."""
    width: float
    """Above zero where densities were too wide."""

    def __call__(self, density: FloatArray) -> FloatArray:
        """Recalibrated densities, ``(n_galaxies, n_grid)``, from such; rows have sum one."""
        if self == UNCHANGED:
            return density
        nodes = np.sin(np.linspace(0, np.pi / 2, N_NODES)) ** 2
        table = betainc(np.exp(self.width + self.shift), np.exp(self.width - self.shift), nodes)
        edges = np.clip(np.cumsum(density, axis=1), 0, 1)
        moved = np.interp(edges, nodes, table)
        moved[:, -1] = 1.0
        return np.diff(moved, axis=1, prepend=0.0)


UNCHANGED = Recalibration(shift=0.0, width=0.0)
"""Nothing to mend, or nobody to say so."""


def fit_recalibration(labelled: PitSample, withheld: PitSample) -> Recalibration:
    """Most probable shift by all ``labelled`` galaxies, and width by those ``withheld``."""

    def loss(sample: PitSample, shift: float, width: float) -> float:
        prior = (shift**2 + width**2) / (2 * PRIOR_SCALE**2)
        return prior - sample.log_likelihood(shift, width)

    both = minimize(lambda at: loss(labelled, at[0], at[1]), np.zeros(2), method="Nelder-Mead")
    shift = float(both.x[0])
    width = minimize_scalar(lambda at: loss(withheld, shift, float(at)), bounds=(-1, 1))
    return Recalibration(shift=shift, width=float(np.asarray(width.x)))
