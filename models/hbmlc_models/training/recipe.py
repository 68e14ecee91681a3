"""Recipes: everything that makes a model version, in a file."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

__all__ = ["RecipeError", "TrainingRecipe", "read_recipe", "shipped_recipes"]

_PACKAGE = "hbmlc_models.training"


class RecipeError(ValueError):
    """A recipe cannot be read; the message names the entry and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecipe:
    """How a model version is made; the same recipe gives the same weights."""

    name: str
    """Name of the version."""
    version: int
    """Its number."""
    filters: str
    """Filter set of the simulator."""
    seed: int
    """Seed of everything."""
    n_worlds: int
    """Simulated worlds to learn from."""
    tiles_per_world: int
    """Tiles in each, of different depth and selection."""
    galaxies_per_tile: int
    """Galaxies in each tile."""
    n_validation_worlds: int
    """Further worlds that end the training when it makes no progress there."""
    n_test_worlds: int
    """Further worlds that the metrics of the card come from."""
    mag_limit: float
    """Faintest magnitude in the selection band."""
    n_components: int
    """Components of the population mixture."""
    supervised_steps: int
    """Steps of the supervised start."""
    batch: int
    """Galaxies in one of them."""
    supervised_lr: float
    """Peak learning rate of the start."""
    meta_steps: int
    """Steps of the outer loop of MAML, at most."""
    outer_lr: float
    """Meta-learning rate."""
    rate_lr: float
    """Learning rate of the logarithms of the inner rates."""
    multi_step_until: float
    """Share of the outer loop in which losses after earlier inner steps count; 0 is plain MAML."""
    patience: int
    """Validations without progress that end the outer loop."""
    tasks_per_step: int
    """Tasks in one outer step."""
    n_inner_steps: int
    """Gradient steps of an adaptation."""

    def as_dict(self) -> dict[str, Any]:
        """Recipe as JSON values."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """SHA-256 of all entries: names a training run."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()


def shipped_recipes() -> tuple[str, ...]:
    """Names of the recipes inside the package."""
    folder = files(_PACKAGE) / "recipes"
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir()))


def read_recipe(name_or_path: str) -> TrainingRecipe:
    """Recipe from a file, or a shipped one by its name.

    Raises
    ------
    RecipeError
        There is no such recipe, an entry is missing or unknown, or has a value of a wrong kind.
    """
    try:
        return _build(tomllib.loads(_find(name_or_path).read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise RecipeError(f"{name_or_path} is not TOML: {exc}") from exc


def _find(name_or_path: str) -> Traversable:
    """File of a recipe."""
    if name_or_path in shipped_recipes():
        return files(_PACKAGE) / "recipes" / f"{name_or_path}.toml"
    if Path(name_or_path).is_file():
        return Path(name_or_path)
    known = ", ".join(shipped_recipes())
    raise RecipeError(f"There is no recipe {name_or_path!r}: give a file, or one of {known}.")


def _build(document: Mapping[str, Any]) -> TrainingRecipe:
    """Recipe from a parsed document."""
    kinds = {field.name: field.type for field in fields(TrainingRecipe)}
    missing, unknown = kinds.keys() - document.keys(), document.keys() - kinds.keys()
    if missing or unknown:
        raise RecipeError(f"Recipe entries missing: {sorted(missing)}, unknown: {sorted(unknown)}.")
    for name, value in document.items():
        wanted = {"int": (int,), "float": (int, float), "str": (str,)}[str(kinds[name])]
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise RecipeError(
                f"Recipe entry {name!r} must be of type {kinds[name]}, not {value!r}."
            )
        if not isinstance(value, str) and value < 0:
            raise RecipeError(f"Recipe entry {name!r} must not be negative, but is {value}.")
    return TrainingRecipe(**document)
