"""What a survey knows of its own densities and of its selection before any tile is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from surveys import OPTIONS, relabel, simulate_tile

from hbmlc_models.fusion import pool
from hbmlc_models.pipeline import CalibrationOptions, SurveyFit, redshift_grid
from hbmlc_models.pipeline.both_parts import BothParts
from hbmlc_models.pipeline.split import split_sample
from hbmlc_models.pipeline.survey import _look_at
from hbmlc_models.pipeline.survey_calibration import survey_recalibration
from hbmlc_models.selection.frame import make_frame
from hbmlc_models.selection.propensity import SurveyPropensity
from hbmlc_models.tile import Tile


def both_parts(survey: SurveyFit) -> BothParts:
    return BothParts(
        frame=survey.frame,
        context=survey.basis.context,
        population=survey.population,
        network=survey.network,
        z_grid=redshift_grid(OPTIONS),
    )


def beta_prior(tile: Tile, **options: object) -> tuple[float, float]:
    asked = CalibrationOptions.from_dict(options)
    found = _look_at(tile, make_frame(tile.photometry), asked, seed=1)
    return found.beta_mean, found.beta_scale


def at_random(tile: Tile) -> Tile:
    """The same galaxies, three in ten of which have a label whatever they look like."""
    return relabel(tile, np.random.default_rng(4).random(tile.n_galaxies) < 0.3)


def test_pool_lies_between_its_parts(tile: Tile, survey: SurveyFit) -> None:
    parts = both_parts(survey)
    alone, network, both = (parts.pooled_density(tile, share=share) for share in (0.0, 1.0, 0.3))

    np.testing.assert_allclose(both, pool(alone, network, 0.3), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(both.sum(axis=1), 1, rtol=1e-4)


def test_densities_that_are_too_low_are_shifted_up(tile: Tile, survey: SurveyFit) -> None:
    parts = both_parts(survey)
    nobody = SurveyPropensity(alpha=np.zeros(len(survey.alpha)), gamma=0.0)

    def shift(offset: float) -> float:
        moved = replace(tile, z_spec=np.clip(tile.z_spec + offset, 0.01, None))
        split = split_sample(moved, hold_out_fraction=0.1, seed=1)
        return survey_recalibration(split, parts, survey.basis, nobody, share=0.0).shift

    assert shift(0.2) > shift(0.0) + 0.1
    assert shift(-0.2) < shift(0.0) - 0.1


def test_selection_by_brightness_keeps_the_prior_of_beta() -> None:
    assert beta_prior(simulate_tile(800)) == (-1.0, 0.5)


def test_labels_at_random_take_most_of_it_away() -> None:
    mean, scale = beta_prior(at_random(simulate_tile(2_000)))

    assert mean == pytest.approx(0, abs=0.3)
    assert 0.1 <= scale < 0.2


def test_prior_that_was_asked_for_stays_whatever_the_labels_show() -> None:
    tile = at_random(simulate_tile(800))

    assert beta_prior(tile, beta_mean=-0.7) == (-0.7, 0.5)
    assert beta_prior(tile, preset="seed") == (-1.0, 0.5)


def test_without_a_network_the_selection_answers_alone(tile: Tile, survey: SurveyFit) -> None:
    parts = replace(both_parts(survey), network=None)

    assert parts.network_density(tile) is None
    np.testing.assert_array_equal(
        parts.pooled_density(tile, share=0.3), parts.selection_density(tile.photometry)
    )
