"""What the held-out worlds promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.world_plans import WORLD_PLANS, Labels, WorldPlan, held_out_world
from benchmarks.worlds import world_rng, write_world

from hbmlc_models.base_models import choose_version
from hbmlc_models.evaluate import Sky, read_sky
from hbmlc_models.simulate import draw_world
from hbmlc_models.training import read_recipe, shipped_recipes

N = 1500


def plan_called(name: str) -> WorldPlan:
    return next(plan for plan in WORLD_PLANS if plan.name == name)


@pytest.fixture(scope="module")
def skies(tmp_path_factory: pytest.TempPathFactory) -> dict[Labels, tuple[WorldPlan, Sky]]:
    """One written and read examination for each kind of labels, all through the same filters."""
    folder = tmp_path_factory.mktemp("worlds")
    found: dict[Labels, tuple[WorldPlan, Sky]] = {}
    for plan in WORLD_PLANS:
        if plan.filters.name == "lsst":
            write_world(plan, folder, n_galaxies=N, seed=0)
            catalog = folder / f"{plan.name}_catalog.parquet"
            truth = folder / f"{plan.name}_truth.parquet"
            found[plan.labels] = (plan, read_sky(catalog, truth=truth))
    return found


def test_names_are_unique() -> None:
    assert len({plan.name for plan in WORLD_PLANS}) == len(WORLD_PLANS) >= 12


def test_every_galaxy_is_read_with_its_truth(
    skies: dict[Labels, tuple[WorldPlan, Sky]],
) -> None:
    for plan, sky in skies.values():
        labelled = sky.tile.is_labelled

        assert sky.tile.n_galaxies == N
        assert set(sky.tile.photometry.bands) == set(plan.filters.bands)
        assert np.allclose(sky.tile.z_spec[labelled], sky.z_true[labelled], atol=1e-6)


def test_bright_labels_are_bright(skies: dict[Labels, tuple[WorldPlan, Sky]]) -> None:
    plan, sky = skies[Labels.BRIGHT]

    mag = sky.tile.photometry.mag[:, plan.filters.bands.index(plan.filters.selection_band)]

    # The edge is soft: ten of its widths are beyond any doubt.
    assert mag[sky.tile.is_labelled].max() < plan.mag_limit - 2.5 + 1.5


def test_red_labels_are_red(skies: dict[Labels, tuple[WorldPlan, Sky]]) -> None:
    plan, sky = skies[Labels.RED]
    place = plan.filters.bands.index(plan.filters.selection_band)

    mag = sky.tile.photometry.mag[sky.tile.is_labelled]

    assert np.mean(mag[:, place - 1] - mag[:, place] > 0.65) > 0.9


@pytest.mark.parametrize(("labels", "share"), [(Labels.RANDOM, 0.1), (Labels.MANY, 0.5)])
def test_random_labels_have_their_share(
    skies: dict[Labels, tuple[WorldPlan, Sky]], labels: Labels, share: float
) -> None:
    sky = skies[labels][1]

    assert sky.tile.n_labelled / N == pytest.approx(share, abs=4 * np.sqrt(share / N))


def test_a_union_has_bright_and_faint_labels(
    skies: dict[Labels, tuple[WorldPlan, Sky]],
) -> None:
    plan, sky = skies[Labels.UNION]

    mag = sky.tile.photometry.mag[:, plan.filters.bands.index(plan.filters.selection_band)]
    is_bright = mag[sky.tile.is_labelled] < plan.mag_limit - 2.5

    assert 0.2 < is_bright.mean() < 1.0


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    plan = plan_called("sdss_deep_random")

    for folder in ("a", "b"):
        write_world(plan, tmp_path / folder, n_galaxies=300, seed=3)

    first, second = sorted(tmp_path.rglob("*_catalog.parquet"))
    assert first.read_bytes() == second.read_bytes()


def test_no_world_of_a_recipe_is_examined() -> None:
    trained = [
        draw_world(np.random.default_rng([recipe.seed, 1, world]))
        for recipe in map(read_recipe, shipped_recipes())
        for world in range(recipe.n_worlds + recipe.n_test_worlds)
    ]

    for plan in WORLD_PLANS:
        assert held_out_world(plan, world_rng(plan, 0)).red not in [w.red for w in trained]


def test_one_set_of_bands_has_no_shipped_version() -> None:
    bands = {plan.filters.name: plan.filters.bands for plan in WORLD_PLANS}

    assert choose_version(bands["mixed"]) == "auto"
    assert all(choose_version(bands[name]) != "auto" for name in bands if name != "mixed")
