r"""How well a shipped population knows the redshifts that a survey measured.

Where photometry cannot tell a continuation of the labels from a simulated population, what decides
is how the two did where redshifts are known: with D the mean advantage of the learnt one in the log
density of z given photometry, a labelled galaxy, the record of the shipped one is

.. math:: r = e^{-\max(D, 0) / D_0}.

The learnt population was fitted to these galaxies, so a small advantage says little; simulations
that resemble the sky lag behind by less than 0.1, others by 0.3 to 1.
"""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection.colour_correction import LabelledColours
from hbmlc_models.selection.mixture import Mixture

__all__ = ["label_record"]

RECORD_SCALE = 0.3
"""Advantage D_0 of the learnt population at which the record falls to 1/e."""
LEAST_DENSITY = 0.01
"""Density in log(1 + z) below which a redshift is simply missed."""


def label_record(learnt: Mixture, shipped: Mixture, labels: LabelledColours) -> float:
    """Record of the shipped population on labelled galaxies, 0 to 1; 1 without any.

    Both populations are of selected galaxies, as the labelled ones are.
    """
    if len(labels.values) == 0:
        return 1.0
    advantage = _log_density_of_z(learnt, labels) - _log_density_of_z(shipped, labels)
    return float(np.exp(-max(float(advantage.mean()), 0.0) / RECORD_SCALE))


def _log_density_of_z(population: Mixture, labels: LabelledColours) -> FloatArray:
    """Log density of log(1 + z) given photometry, ``(n_labels,)``."""
    seen = labels.values[:, 1:], labels.errors[:, 1:]
    joint = population.log_density(*seen, labels.values[:, 0])
    photometry = population.log_density(*seen)
    return np.log(np.exp(joint - photometry) / np.sqrt(2 * np.pi) + LEAST_DENSITY)
