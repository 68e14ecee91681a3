"""The population of a survey: labels are moved along redshift where its camera is known."""

from __future__ import annotations

import numpy as np
import pytest

from hbmlc_models.base_models import ModelVersion, load_version
from hbmlc_models.pipeline.options import Dimming
from hbmlc_models.pipeline.split import split_sample
from hbmlc_models.pipeline.survey_population import LearntPopulation, learn_population
from hbmlc_models.selection.frame import make_frame
from hbmlc_models.simulate import (
    Selection,
    Survey,
    fiducial_world,
    lsst_depth,
    simulate_catalog,
)

SKY = simulate_catalog(
    fiducial_world(),
    900,
    depth=lsst_depth(10),
    selection=Selection(surveys=(Survey(band="i", mag_limit=23.0),)),
    rng=np.random.default_rng(5),
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hbmlc_models.selection.population.N_FIT", 500)
    monkeypatch.setattr("hbmlc_models.selection.population.N_COPIES", 2_000)
    monkeypatch.setattr("hbmlc_models.selection.population.MAX_COMPONENTS", 9)


def learn(version: ModelVersion, dimming: Dimming = Dimming.SKY) -> LearntPopulation:
    return learn_population(
        split_sample(SKY.tile, hold_out_fraction=0.0, seed=0),
        [version],
        make_frame(SKY.tile.photometry),
        beta=0.0,
        dimming=dimming,
        seed=0,
        on_progress=lambda _: None,
    )


def test_copies_move_along_redshift_where_the_camera_is_known() -> None:
    labels = SKY.tile.z_spec[SKY.tile.is_labelled]

    for found in learn(load_version("lsst-ugrizy", 3)).samples:
        moved = np.log1p(found.sample.z_spec) - np.log1p(labels[found.sample.parent])
        assert 0.003 < np.std(moved) < 0.08


def test_copies_are_as_bright_as_their_parents_where_nothing_is_dimmed() -> None:
    labels = SKY.tile.photometry.take(SKY.tile.is_labelled)

    for found in learn(load_version("auto", 1), Dimming.NONE).samples:
        np.testing.assert_array_equal(
            found.sample.photometry.flux, labels.flux[found.sample.parent]
        )


def test_copies_stay_where_it_is_not() -> None:
    labels = SKY.tile.z_spec[SKY.tile.is_labelled]

    for found in learn(load_version("auto", 1)).samples:
        np.testing.assert_array_equal(found.sample.z_spec, labels[found.sample.parent])
