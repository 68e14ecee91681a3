"""FlexZBoost through RAIL, as it comes."""

from __future__ import annotations

from benchmarks.peers.rail import RailPeer

__all__ = ["flexzboost"]


def flexzboost() -> RailPeer:
    """Basis functions of p(z) by boosted trees (Izbicki & Lee 2017)."""
    from rail.estimation.algos.flexzboost import FlexZBoostEstimator, FlexZBoostInformer

    return RailPeer(informer=FlexZBoostInformer, estimator=FlexZBoostEstimator)
