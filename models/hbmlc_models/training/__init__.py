"""Meta-training of model versions on simulated worlds."""

from __future__ import annotations

from hbmlc_models.training.recipe import RecipeError, TrainingRecipe, read_recipe, shipped_recipes
from hbmlc_models.training.version import train_version

__all__ = ["RecipeError", "TrainingRecipe", "read_recipe", "shipped_recipes", "train_version"]
