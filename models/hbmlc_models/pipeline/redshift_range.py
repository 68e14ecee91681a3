"""How far redshifts reach in a calibration: decided once, where the survey is fitted.

The grid ends at 3 unless labels, or the galaxies that the model version learnt from, lie beyond;
then it follows them. What lies beyond the end is never moved to it: such a label teaches nothing,
and is counted.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from hbmlc_models.base_models import ModelVersion
from hbmlc_models.pipeline.options import LEAST_Z_MAX, CalibrationOptions, node_count
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.tile import Tile

__all__ = ["MOST_Z_MAX", "settle_range"]

MOST_Z_MAX = 7.0
"""End of the grid that is followed at most: beyond, Lyman-alpha leaves the bands of a camera, and
what is called a redshift is mostly a failed one."""
MARGIN = 0.05
"""Room beyond the largest label, in units of 1 + z: what p(z) of a good photo-z is wide."""
LEAST_SHARE = 0.01
"""Share of a model's population beyond the usual end that makes the grid follow it; of the shipped
ones 0.8 % at most lie there."""
POPULATION_TAIL = 1e-3
"""Share of it that may lie beyond the grid."""
_STEP = 0.1


def settle_range(
    options: CalibrationOptions,
    tile: Tile,
    model: ModelVersion,
    *,
    largest_label: float | None = None,
) -> CalibrationOptions:
    """Options whose redshift grid is settled; what was asked for stays.

    ``largest_label`` is that of the whole catalogue where ``tile`` is a part of it.
    """
    z_max = options.z_max
    if z_max is None:
        labels = np.append(tile.z_spec[tile.is_labelled], largest_label or 0.0)
        largest = float(np.max(labels[labels <= MOST_Z_MAX], initial=0.0))
        reach = max(_with_margin(largest), _reach_of(model))
        z_max = min(max(LEAST_Z_MAX, reach), MOST_Z_MAX)
    n_grid = node_count(z_max) if options.n_grid is None else options.n_grid
    return replace(options, z_max=z_max, n_grid=n_grid)


def _with_margin(z: float) -> float:
    """End of a grid that holds ``z`` and what p(z) of it is wide, in whole steps."""
    if z <= LEAST_Z_MAX:
        return LEAST_Z_MAX
    return _upwards(z + MARGIN * (1 + z))


def _upwards(z: float) -> float:
    """Next tenth above ``z``."""
    return float(np.round(np.ceil(z / _STEP - 1e-9) * _STEP, 6))


def _reach_of(model: ModelVersion) -> float:
    """End of the grid that the population of a model version needs."""
    if model.population is None or _share_beyond(model.population, LEAST_Z_MAX) < LEAST_SHARE:
        return LEAST_Z_MAX
    ends = np.arange(LEAST_Z_MAX, MOST_Z_MAX + _STEP / 2, _STEP)
    is_enough = [_share_beyond(model.population, end) < POPULATION_TAIL for end in ends]
    return _upwards(float(ends[np.argmax(is_enough)])) if any(is_enough) else MOST_Z_MAX


def _share_beyond(population: Mixture, z: float) -> float:
    """Share of a population beyond redshift ``z``."""
    spread = np.sqrt(population.covariances[:, 0, 0])
    below = ndtr((np.log1p(z) - population.means[:, 0]) / spread)
    return float(1 - population.weights @ below)
