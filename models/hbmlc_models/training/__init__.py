"""Making model versions: on simulated worlds for everybody, on catalogues for a survey."""

from __future__ import annotations

from hbmlc_models.training.gate import GateVerdict, Scores, beats
from hbmlc_models.training.recipe import RecipeError, TrainingRecipe, read_recipe, shipped_recipes
from hbmlc_models.training.survey_version import (
    TooFewLabelsError,
    TrainedVersion,
    VersionOrder,
    merge_surveys,
    train_survey_version,
)
from hbmlc_models.training.version import train_version

__all__ = [
    "GateVerdict",
    "RecipeError",
    "Scores",
    "TooFewLabelsError",
    "TrainedVersion",
    "TrainingRecipe",
    "VersionOrder",
    "beats",
    "merge_surveys",
    "read_recipe",
    "shipped_recipes",
    "train_survey_version",
    "train_version",
]
