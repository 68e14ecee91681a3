"""Recipes say what is wrong with them; versions are immutable and named by their digest."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from hbmlc_models.base_models import (
    AUTO,
    ModelCardError,
    ModelVersion,
    UnknownModelError,
    choose_version,
    list_versions,
    load_version,
    read_version,
    write_version,
)
from hbmlc_models.metalearning.checkpoint import Checkpoint, CheckpointError, TrainingState
from hbmlc_models.metalearning.features import CHANNELS
from hbmlc_models.training import (
    RecipeError,
    TrainingRecipe,
    read_recipe,
    shipped_recipes,
    train_version,
)

SHIPPED = files("hbmlc_models.training") / "recipes" / "lsst-ugrizy.toml"
TINY = replace(
    read_recipe("lsst-ugrizy"),
    name="tiny",
    n_worlds=1,
    tiles_per_world=2,
    galaxies_per_tile=150,
    n_validation_worlds=1,
    n_test_worlds=1,
    n_components=3,
    supervised_steps=5,
    batch=32,
    meta_steps=2,
    tasks_per_step=2,
)


def write_recipe(folder: Path, **changes: object) -> str:
    entries = tomllib.loads(SHIPPED.read_text()) | changes
    lines = [f"{k} = {v!r}" for k, v in entries.items() if v is not None]
    path = folder / "recipe.toml"
    path.write_text("\n".join(lines).replace("True", "true"))
    return str(path)


def test_every_shipped_recipe_can_be_read() -> None:
    assert "lsst-ugrizy" in shipped_recipes()
    for name in shipped_recipes():
        assert read_recipe(name).name == name


def test_recipe_of_a_file_is_that_of_its_entries(tmp_path: Path) -> None:
    found = read_recipe(write_recipe(tmp_path, seed=7))

    assert found == replace(read_recipe("lsst-ugrizy"), seed=7)
    assert TrainingRecipe(**found.as_dict()) == found


def test_recipe_that_does_not_exist_is_named_with_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"'nowhere'.*lsst-ugrizy"):
        read_recipe("nowhere")


def test_recipe_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("name = ")

    with pytest.raises(RecipeError, match="not TOML"):
        read_recipe(str(path))


def test_recipe_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(RecipeError, match="not TOML"):
        read_recipe(str(path))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": None}, "missing.*seed"),
        ({"sead": 1}, "unknown.*sead"),
        ({"seed": "one"}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
        ({"name": 5}, "name"),
        ({"batch": -1}, "batch"),
        ({"outer_lr": "fast"}, "outer_lr"),
    ],
)
def test_wrong_entry_is_named(tmp_path: Path, changes: dict[str, object], named: str) -> None:
    with pytest.raises(RecipeError, match=named):
        read_recipe(write_recipe(tmp_path, **changes))


@pytest.fixture(scope="module")
def tiny() -> ModelVersion:
    return train_version(TINY)


def test_trained_version_serves_its_bands(tiny: ModelVersion) -> None:
    assert tiny.bands == tuple("ugrizy")
    assert tiny.network is not None
    assert tiny.network.architecture.n_channels == CHANNELS
    assert all(np.isfinite(w.numpy()).all() for w in tiny.network.weights.values())
    assert tiny.population is not None
    assert tiny.population.weights.sum() == pytest.approx(1.0, abs=1e-5)


def test_card_tells_recipe_and_metrics(tiny: ModelVersion) -> None:
    assert TrainingRecipe(**tiny.card["recipe"]) == TINY
    assert {"nmad_no_anchors", "nmad_adapted"} <= tiny.card["metrics"].keys()
    assert all(np.isfinite(value) for value in tiny.card["metrics"].values())
    assert tiny.card["licence"]
    assert "simulated" in tiny.card["training_data"]


def test_same_recipe_gives_the_same_digest(tiny: ModelVersion) -> None:
    assert train_version(TINY).digest == tiny.digest
    assert tiny.digest.startswith("sha256:")


def test_training_that_was_stopped_goes_on_to_the_same_bytes(
    tiny: ModelVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hbmlc_models.training.version.CHECKPOINT_EVERY", 1)
    path = tmp_path / "tiny.checkpoint"

    def stop(stage: str, done: float) -> None:
        if stage.startswith("training") and done > 0.8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_version(TINY, checkpoint=path, on_progress=stop)

    assert train_version(TINY, checkpoint=path).digest == tiny.digest


def test_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.checkpoint"
    Checkpoint(path, run=TINY.digest).save(TrainingState(stage="meta"))

    with pytest.raises(CheckpointError, match="another recipe"):
        train_version(replace(TINY, seed=1), checkpoint=path)


def test_version_survives_the_way_through_bytes(tiny: ModelVersion) -> None:
    content = write_version(tiny)
    back = read_version(content)

    assert back.digest == tiny.digest
    assert write_version(back) == content
    assert back.card == tiny.card


def test_changed_card_changes_the_digest(tiny: ModelVersion) -> None:
    changed = replace(tiny, card={**tiny.card, "licence": "other"})

    assert read_version(write_version(changed)).digest != tiny.digest


@pytest.mark.parametrize("content", [b"", b"nonsense" * 10, b"\x00" * 100])
def test_damaged_version_is_refused(content: bytes) -> None:
    with pytest.raises(ModelCardError, match="not a model version"):
        read_version(content)


def test_truncated_version_is_refused(tiny: ModelVersion) -> None:
    with pytest.raises(ModelCardError):
        read_version(write_version(tiny)[:-10])


def test_every_listed_version_loads_and_its_bands_get_one_of_just_these() -> None:
    listed = list_versions()

    assert listed[0] == (AUTO, 1)
    for name, number in listed:
        found = load_version(name, number)
        assert (found.name, found.version) == (name, number)
        if name != AUTO:
            chosen = choose_version(found.bands)
            assert load_version(chosen, dict(listed)[chosen]).bands == found.bands


def test_bands_within_those_of_a_version_get_it() -> None:
    assert choose_version(("g", "r", "i", "z", "y")) == "lsst-ugrizy"
    assert choose_version(("g", "r", "i", "z", "Y")) == AUTO


def test_bands_of_no_version_get_auto() -> None:
    assert choose_version(("Y", "J", "nonsense")) == AUTO
    assert load_version(AUTO, 1).network is None


@pytest.mark.parametrize(("name", "number"), [("auto", 2), ("nothing", 1), ("../auto", 1)])
def test_unknown_version_is_named_with_the_known_ones(name: str, number: int) -> None:
    with pytest.raises(UnknownModelError, match=rf"{name}:{number}.*auto:1"):
        load_version(name, number)
