"""Trees on asinh magnitudes, colours and errors: boosted, and a random forest."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.protocol import PeerAnswer
from hbmlc_models.evaluate import TreeSettings
from hbmlc_models.evaluate.baseline import tree_features
from hbmlc_models.tile import Tile

__all__ = ["TreePeer", "boosted", "forest"]


class TreePeer:
    """Any regressor with ``fit`` and ``predict`` on the features of our own yardstick."""

    def __init__(self, regressor: Any) -> None:
        self._regressor = regressor

    def fit(self, tile: Tile) -> None:
        """Learn from the labelled galaxies."""
        labelled = tile.is_labelled
        self._regressor.fit(tree_features(tile.photometry)[labelled], tile.z_spec[labelled])

    def predict(self, tile: Tile) -> PeerAnswer:
        """Answer for every galaxy."""
        z_phot = self._regressor.predict(tree_features(tile.photometry))
        return PeerAnswer(z_phot=np.asarray(z_phot, dtype=np.float64))


def boosted() -> TreePeer:
    """Gradient-boosted trees with the settings of our own yardstick."""
    from xgboost import XGBRegressor

    chosen = TreeSettings()
    return TreePeer(
        XGBRegressor(
            n_estimators=chosen.n_trees,
            max_depth=chosen.max_depth,
            learning_rate=chosen.learning_rate,
            subsample=chosen.row_share,
            n_jobs=1,
            random_state=0,
        )
    )


def forest() -> TreePeer:
    """Random forest with a few galaxies in each leaf."""
    from sklearn.ensemble import RandomForestRegressor

    return TreePeer(
        RandomForestRegressor(n_estimators=200, min_samples_leaf=3, n_jobs=1, random_state=0)
    )
