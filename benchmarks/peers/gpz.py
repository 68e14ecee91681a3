"""GPz through RAIL."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.peers.rail import RailPeer

__all__ = ["gpz"]


def gpz(bands: Sequence[str]) -> RailPeer:
    """Sparse Gaussian processes with noise that varies (Almosallam et al. 2016).

    Cost-sensitive learning stays off: its balanced form does not run.
    """
    from rail.estimation.algos.gpz import GPzEstimator, GPzInformer

    return RailPeer(
        informer=GPzInformer,
        estimator=GPzEstimator,
        settings={"replace_error_vals": [0.1] * len(bands)},
    )
