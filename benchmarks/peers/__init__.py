"""Other methods on the same examinations, each learning from the labelled galaxies only."""

from __future__ import annotations

from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.protocol import GRID, Peer, PeerAnswer

__all__ = ["GRID", "PEERS", "Peer", "PeerAnswer"]
