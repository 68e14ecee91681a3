"""Nearest neighbours through RAIL: plain, and matched by colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.peers.rail import NOT_OBSERVED, RailPeer, column, error_column

__all__ = ["cmnn", "knn"]

_BLANK = "blank"


def knn() -> RailPeer:
    """Nearest neighbours in a magnitude and the colours."""
    from rail.estimation.algos.k_nearneigh import KNearNeighEstimator, KNearNeighInformer

    # The meaning of the switch is inverted: True keeps the magnitude.
    return RailPeer(
        informer=KNearNeighInformer,
        estimator=KNearNeighEstimator,
        settings={"only_colors": True},
    )


def cmnn(bands: Sequence[str]) -> RailPeer:
    """Colour-matched nearest neighbours (Graham et al. 2018).

    The first colour's error is left squared, so the first colour is one that nobody observed: the
    stage leaves it out of distance and degrees of freedom alike.
    """
    from rail.estimation.algos.cmnn import CMNNEstimator, CMNNInformer

    settings: dict[str, Any] = {
        "bands": [column(_BLANK), *(column(band) for band in bands)],
        "err_bands": [error_column(_BLANK), *(error_column(band) for band in bands)],
        "nondetect_replace": False,
    }
    return RailPeer(
        informer=CMNNInformer,
        estimator=CMNNEstimator,
        settings=settings,
        extra_columns={column(_BLANK): NOT_OBSERVED, error_column(_BLANK): 1.0},
    )
