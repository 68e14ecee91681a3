"""The stages of a calibration: pure functions from arrays to arrays."""

from __future__ import annotations

from hbmlc_models.pipeline.adaptation import TileDensity, adapt_tiles
from hbmlc_models.pipeline.fuse import Flag, TileResult, fuse_tiles
from hbmlc_models.pipeline.options import (
    AnchorRule,
    BetaRule,
    CalibrationOptions,
    Dimming,
    OptionError,
    Parts,
    Preset,
    redshift_grid,
)
from hbmlc_models.pipeline.plan import plan_units
from hbmlc_models.pipeline.selection import TileSelection, infer_selection
from hbmlc_models.pipeline.summaries import CatalogSummary, Summaries
from hbmlc_models.pipeline.survey import fit_survey
from hbmlc_models.pipeline.survey_fit import NoCurveError, NoLabelsError, SurveyFit

__all__ = [
    "AnchorRule",
    "BetaRule",
    "CalibrationOptions",
    "CatalogSummary",
    "Dimming",
    "Flag",
    "NoCurveError",
    "NoLabelsError",
    "OptionError",
    "Parts",
    "Preset",
    "Summaries",
    "SurveyFit",
    "TileDensity",
    "TileResult",
    "TileSelection",
    "adapt_tiles",
    "fit_survey",
    "fuse_tiles",
    "infer_selection",
    "plan_units",
    "redshift_grid",
]
