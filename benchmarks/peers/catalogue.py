"""The list of peers, and which filters an examination was seen through."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.peers.bpz import bpz
from benchmarks.peers.flexzboost import flexzboost
from benchmarks.peers.gpz import gpz
from benchmarks.peers.neighbours import cmnn, knn
from benchmarks.peers.protocol import Peer
from benchmarks.peers.trees import boosted, forest
from benchmarks.world_plans import WORLD_PLANS
from hbmlc_models.simulate import FILTER_SETS, FilterSet

__all__ = ["PEERS", "UnknownFiltersError", "filters_of", "peer_for"]


class UnknownFiltersError(LookupError):
    """No filter set is known for the bands of an examination."""


def filters_of(name: str, bands: tuple[str, ...]) -> FilterSet:
    """Filters of an examination: by its name where it is one of ours, else by its bands.

    Raises
    ------
    UnknownFiltersError
        No set has these bands.
    """
    for plan in WORLD_PLANS:
        if plan.name == name:
            return plan.filters
    # Five bands from u to z alone are CFHT's here: SDSS is in the simulated worlds only.
    known = {tuple(s.bands): s for s in FILTER_SETS.values() if s.name != "sdss"}
    if bands not in known:
        raise UnknownFiltersError(f"no filter curves for the bands {', '.join(bands)}")
    return known[bands]


PEERS: dict[str, Callable[[str, tuple[str, ...]], Peer]] = {
    "XGBoost": lambda _name, _bands: boosted(),
    "random forest": lambda _name, _bands: forest(),
    "kNN": lambda _name, _bands: knn(),
    "GPz": lambda _name, bands: gpz(bands),
    "FlexZBoost": lambda _name, _bands: flexzboost(),
    "CMNN": lambda _name, bands: cmnn(bands),
    "BPZ": lambda name, bands: bpz(bands, filters_of(name, bands)),
}
"""Name to what makes the peer for an examination, given its name and bands."""


def peer_for(peer: str, name: str, bands: tuple[str, ...]) -> Peer | None:
    """Peer for an examination; without filter curves for its bands there is a word and none."""
    try:
        return PEERS[peer](name, bands)
    except UnknownFiltersError as error:
        print(f"{name}: {peer} left out, {error}", flush=True)
        return None
