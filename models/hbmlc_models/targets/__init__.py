"""Which unlabelled galaxies would teach most if they got a spectrum."""

from __future__ import annotations

from hbmlc_models.targets.candidates import Candidates, gather_candidates
from hbmlc_models.targets.collector import TargetCollector
from hbmlc_models.targets.ranking import MAX_TARGETS, PER_REGION
from hbmlc_models.targets.regions import PhotometryRegions, fit_regions
from hbmlc_models.targets.score import expected_gain, observing_cost

__all__ = [
    "MAX_TARGETS",
    "PER_REGION",
    "Candidates",
    "PhotometryRegions",
    "TargetCollector",
    "expected_gain",
    "fit_regions",
    "gather_candidates",
    "observing_cost",
]
