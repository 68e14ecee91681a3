r"""How the colours of galaxies at one redshift change with brightness.

Fainter galaxies at a redshift are bluer (the colour-magnitude relation, e.g. Strateva et al. 2001,
AJ 122, 1861): a bright galaxy dimmed at fixed colours is not quite what it stands for. The labels
show the trend where they reach,

.. math:: c_b = c_b(z) + t_b(z)\,(m - \bar m(z)) + \text{scatter},

fitted locally in redshift and shrunk towards none where labels are few. Whether it may be continued
beyond the labels is not assumed: samples dimmed with and without it compete (``population``).
"""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.frame import LuptitudeFrame

__all__ = ["colour_trend"]

N_NODES = 24
"""Redshifts at which the trend is fitted; it is interpolated in between."""
N_NEIGHBOURS = 200
"""Labelled galaxies that inform it at one redshift."""
PRIOR_GALAXIES = 30.0
"""Strength of the prior of no trend, in galaxies with the sample's own spread of brightness."""
MIN_GALAXIES = 20.0
"""With fewer at a redshift there is no trend."""
MAX_ERROR = 0.5
"""Luptitudes with a larger error [mag] say nothing of colours."""


def colour_trend(photometry: Photometry, z_spec: FloatArray, frame: LuptitudeFrame) -> FloatArray:
    """Change of each band's colour to the reference per mag, ``(n_galaxies, n_bands)``.

    ``z_spec`` is ``(n_galaxies,)``; the reference band's own column is zero.
    """
    values, errors = frame.luptitudes(photometry)
    mag = values[:, frame.reference]
    colour = values - mag[:, None]
    usable = errors < MAX_ERROR
    usable &= usable[:, [frame.reference]]
    log1p_z = np.log1p(z_spec)
    nodes = np.unique(np.quantile(log1p_z, np.linspace(0, 1, N_NODES)))
    width = min(N_NEIGHBOURS, max(len(z_spec) // 3, 1))
    slopes = np.zeros((len(nodes), len(frame.bands)))
    for row, node in enumerate(nodes):
        distance = np.abs(log1p_z - node)
        reach = np.partition(distance, width - 1)[width - 1] + 1e-6
        weight = np.exp(-2 * (distance / reach) ** 2)
        for band in range(len(frame.bands)):
            if band != frame.reference:
                shown = usable[:, band]
                slopes[row, band] = _slope(
                    log1p_z[shown] - node, mag[shown], colour[shown, band], weight[shown]
                )
    return np.column_stack([np.interp(log1p_z, nodes, slope) for slope in slopes.T])


def _slope(offset: FloatArray, mag: FloatArray, colour: FloatArray, weight: FloatArray) -> float:
    """Shrunken slope of colour with magnitude next to a linear term in redshift, all ``(n,)``."""
    if weight.sum() < MIN_GALAXIES:
        return 0.0
    centred = mag - np.average(mag, weights=weight)
    design = np.column_stack([np.ones(len(mag)), offset, centred])
    normal = (design * weight[:, None]).T @ design
    normal[2, 2] += PRIOR_GALAXIES * np.average(centred**2, weights=weight) + 1e-12
    normal[1, 1] += 1e-12
    return float(np.linalg.solve(normal, (design * weight[:, None]).T @ colour)[2])
