"""The yardstick: gradient-boosted trees trained on the labelled galaxies as they are.

What most surveys would do first (Chen & Guestrin 2016, XGBoost): no correction for how the labels
were selected, so it shows what such a correction is worth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry, luptitude, luptitude_err
from hbmlc_models.tile import Tile

__all__ = ["TreeSettings", "boosted_trees", "tree_features"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSettings:
    """Settings that serve boosted trees well on any of the usual surveys; never tuned to one."""

    n_trees: int = 400
    """Trees."""
    max_depth: int = 6
    """Depth of a tree."""
    learning_rate: float = 0.05
    """Share of each tree that is added."""
    row_share: float = 0.8
    """Share of the galaxies that each tree sees."""
    n_threads: int = 2
    """Threads; the answer does not depend on them."""


def boosted_trees(tile: Tile, *, seed: int, settings: TreeSettings | None = None) -> FloatArray:
    """Redshift of every galaxy, ``(n_galaxies,)``, learnt from those with a label.

    Raises
    ------
    ValueError
        No galaxy has a label.
    """
    from xgboost import XGBRegressor

    chosen = settings or TreeSettings()
    features = tree_features(tile.photometry)
    labelled = tile.is_labelled
    if not labelled.any():
        raise ValueError("No galaxy has a spectroscopic redshift to learn from.")
    trees = XGBRegressor(
        n_estimators=chosen.n_trees,
        max_depth=chosen.max_depth,
        learning_rate=chosen.learning_rate,
        subsample=chosen.row_share,
        n_jobs=chosen.n_threads,
        random_state=seed,
    )
    trees.fit(features[labelled], tile.z_spec[labelled])
    return np.asarray(trees.predict(features), dtype=np.float64)


def tree_features(photometry: Photometry) -> FloatArray:
    """Asinh magnitudes, colours of neighbouring bands and errors; NaN where not observed.

    ``(n_galaxies, 3 n_bands - 1)``.
    """
    # The typical noise as softening: a band that no galaxy has keeps any positive number.
    is_seen = photometry.is_observed.any(axis=0)
    noise = np.ones(photometry.n_bands)
    noise[is_seen] = np.nanmedian(photometry.flux_err[:, is_seen], axis=0)
    mag = luptitude(photometry.flux, noise)
    error = luptitude_err(photometry.flux, photometry.flux_err, noise)
    return np.concatenate([mag, mag[:, :-1] - mag[:, 1:], error], axis=1)
