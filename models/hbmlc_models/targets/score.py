r"""What a spectrum of an unlabelled galaxy would teach, and what it would cost.

.. math:: \mathrm{gain} = \underbrace{(1 - \mathrm{support})}_{\mathrm{deficit}} \times
          \underbrace{n_r / n}_{\mathrm{density}} \times
          \underbrace{\min_{\hat z} E_{p(z)}[L(z, \hat z)]}_{\mathrm{risk}}, \qquad
          \mathrm{cost} = 1 + 10^{0.8\,(m - m_\mathrm{reach})}

The risk is the expected value of perfect information on the galaxy: the loss that a spectrum
removes. Density carries it to the galaxies like it, the deficit counts only what labels do not
teach already. Cost is exposure time to equal signal-to-noise against the sky, plus an equal share
of overheads, in units of the latter; at ``reach`` the two are equal.
"""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["expected_gain", "observing_cost"]

SKY_LIMITED = 0.8
"""Exposure time to equal signal-to-noise grows as 10^(0.8 m) where the sky dominates the noise."""


def expected_gain(*, deficit: FloatArray, density: FloatArray, risk: FloatArray) -> FloatArray:
    """Share of the catalogue's expected loss at stake, ``(n_galaxies,)`` as all three factors."""
    return deficit * density * risk


def observing_cost(mag: FloatArray, *, reach: float) -> FloatArray:
    """Relative cost of a spectrum of galaxies of brightness ``mag`` [AB mag].

    ``reach`` is the magnitude that the labels of the catalogue go to.

    Examples
    --------
    >>> observing_cost(np.array([18.0, 22.0, 23.25]), reach=22.0).round(2)
    array([ 1.  ,  2.  , 11.  ])
    """
    return 1 + 10 ** (SKY_LIMITED * np.minimum(mag - reach, 20.0))
