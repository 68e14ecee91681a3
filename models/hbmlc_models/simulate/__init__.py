"""Simulated galaxy catalogues: many worlds, any depth, many spectroscopic selections."""

from __future__ import annotations

from hbmlc_models.simulate.depth import Depth, draw_depth, lsst_depth
from hbmlc_models.simulate.filters import FILTER_SETS, FilterSet, filter_set
from hbmlc_models.simulate.selection import (
    Selection,
    Survey,
    draw_selection,
    selection_probability,
)
from hbmlc_models.simulate.simulator import (
    MAG_LIMIT,
    SimulatedCatalog,
    Simulator,
    simulate_catalog,
)
from hbmlc_models.simulate.world import Population, World, draw_world, fiducial_world

__all__ = [
    "FILTER_SETS",
    "MAG_LIMIT",
    "Depth",
    "FilterSet",
    "Population",
    "Selection",
    "SimulatedCatalog",
    "Simulator",
    "Survey",
    "World",
    "draw_depth",
    "draw_selection",
    "draw_world",
    "fiducial_world",
    "filter_set",
    "lsst_depth",
    "selection_probability",
    "simulate_catalog",
]
