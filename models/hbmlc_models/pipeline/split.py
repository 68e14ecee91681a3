"""The galaxies of a survey sample, by the use that is made of them."""

from __future__ import annotations

from dataclasses import dataclass

from hbmlc_models.selection.holdout import is_held_out
from hbmlc_models.tile import Tile

__all__ = ["SampleSplit", "split_sample"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSplit:
    """Three disjoint parts of a sample."""

    labelled: Tile
    """Galaxies whose labels may be learnt from."""
    withheld: Tile
    """Labelled galaxies that no fit sees."""
    unlabelled: Tile
    """The others."""


def split_sample(tile: Tile, *, hold_out_fraction: float, seed: int) -> SampleSplit:
    """Split of ``tile`` that holds out a share of its labelled galaxies."""
    held = is_held_out(tile.row, fraction=hold_out_fraction, seed=seed)
    return SampleSplit(
        labelled=tile.take(tile.is_labelled & ~held),
        withheld=tile.take(tile.is_labelled & held),
        unlabelled=tile.take(~tile.is_labelled),
    )
