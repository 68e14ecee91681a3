"""Tiles that give NUTS little or nothing to work on: each has an answer, none costs the job."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from surveys import OPTIONS, relabel, with_photometry

from hbmlc_models.photometry import Photometry
from hbmlc_models.pipeline import SurveyFit, TileSelection, infer_selection, redshift_grid
from hbmlc_models.pipeline.posterior import SelectionAnswer, selection_answer
from hbmlc_models.selection import sampler
from hbmlc_models.selection.posterior import MAG_RANGE
from hbmlc_models.tile import Tile

CHAINS = replace(OPTIONS, draws=300, tune=300)
SEED = 3


def infer(tile: Tile, survey: SurveyFit) -> tuple[TileSelection, SelectionAnswer]:
    found = infer_selection([tile], survey, CHAINS, seed=SEED)
    found = TileSelection.from_bytes(found.to_bytes())
    whole = found.calibrated(tile, 0)
    return found, selection_answer(whole, survey, found.posterior, redshift_grid(CHAINS))


def assert_sound(answer: SelectionAnswer) -> None:
    integral = np.trapezoid(answer.pdf, redshift_grid(CHAINS), axis=1)
    np.testing.assert_allclose(integral, 1.0, rtol=1e-6)
    assert np.all((answer.pdf >= 0) & np.isfinite(answer.pdf))
    assert np.all((answer.p_selected.mean >= 0) & (answer.p_selected.mean <= 1))


def one_band(tile: Tile) -> Tile:
    flux = np.full(tile.photometry.flux.shape, np.nan)
    flux[:, 3] = tile.photometry.flux[:, 3]
    return with_photometry(tile, flux)


def one_colour(tile: Tile) -> Tile:
    return with_photometry(tile, np.tile(tile.photometry.flux[:1], (tile.n_galaxies, 1)))


def unobserved(tile: Tile) -> Tile:
    return with_photometry(tile, np.full(tile.photometry.flux.shape, np.nan))


def noisy(tile: Tile) -> Tile:
    given = tile.photometry
    worse = Photometry(
        bands=given.bands,
        flux=given.flux,
        flux_err=1e6 * given.flux_err,
        is_detected=np.zeros_like(given.is_detected),
    )
    return replace(tile, photometry=worse)


def blinding(tile: Tile) -> Tile:
    flux = tile.photometry.flux.copy()
    flux[0] *= 1e9
    return with_photometry(tile, flux)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda tile: relabel(tile.take(np.arange(1)), np.zeros(1, dtype=bool)),
        lambda tile: relabel(tile.take(np.arange(1)), np.ones(1, dtype=bool)),
        lambda tile: relabel(tile, np.zeros(tile.n_galaxies, dtype=bool)),
        lambda tile: relabel(tile, np.ones(tile.n_galaxies, dtype=bool)),
        one_band,
        one_colour,
        unobserved,
        noisy,
        blinding,
    ],
    ids=[
        "one galaxy",
        "one labelled galaxy",
        "no labels",
        "all labels",
        "one band",
        "one colour",
        "no photometry",
        "huge errors",
        "a star among galaxies",
    ],
)
def test_singular_tile_is_sampled_and_answered(tile: Tile, survey: SurveyFit, spoil: Any) -> None:
    selection, answer = infer(spoil(tile.take(np.arange(60))), survey)

    assert_sound(answer)
    assert not selection.convergence.is_replaced
    assert selection.convergence.r_hat < 1.05


@pytest.mark.parametrize("error", [RuntimeError, ValueError, np.linalg.LinAlgError])
def test_tile_whose_sampler_dies_gets_what_the_survey_knows(
    tile: Tile, survey: SurveyFit, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any, **__: Any) -> Any:
        raise error("no luck today")

    monkeypatch.setattr(sampler, "_trace", dies)

    selection, answer = infer(tile.take(np.arange(60)), survey)

    assert_sound(answer)
    assert selection.convergence.is_replaced
    assert not selection.convergence.is_converged
    alpha = selection.posterior.alpha
    np.testing.assert_array_equal(alpha, np.broadcast_to(survey.alpha, alpha.shape))
    assert selection.posterior.beta.std() > 0.7 * CHAINS.beta_scale
    assert len(selection.anchors.index) > 0


def test_brightness_of_a_stray_object_is_bounded(tile: Tile, survey: SurveyFit) -> None:
    from hbmlc_models.pipeline.posterior import standard_mag

    mag = standard_mag(blinding(tile), survey)

    assert mag[0] == -MAG_RANGE


def test_shifted_zero_points_are_found_and_taken_back(tile: Tile, survey: SurveyFit) -> None:
    offset = np.array([0.03, -0.03, 0.02, -0.02, -0.03, 0.03])
    shifted = replace(tile, photometry=tile.photometry.scaled(10 ** (0.4 * offset)))

    straight = infer_selection([tile], survey, CHAINS, seed=SEED)
    found = infer_selection([shifted], survey, CHAINS, seed=SEED)

    assert straight.zero_points is not None
    assert found.zero_points is not None
    recovered = (found.zero_points - straight.zero_points)[0]
    # A prior of 0.02 takes a part of what a hundred labels say.
    assert np.abs(recovered - offset).max() < 0.02
    before = np.abs(offset).mean()
    assert np.abs(recovered - offset).mean() < 0.5 * before
    given = found.calibrated(shifted, 0).photometry.flux
    wanted = straight.calibrated(tile, 0).photometry.flux
    np.testing.assert_allclose(given, wanted, rtol=0.02)


def test_tiles_of_a_unit_have_zero_points_of_their_own(tile: Tile, survey: SurveyFit) -> None:
    bluer = replace(
        tile, photometry=tile.photometry.scaled(np.array([1.05, 1.03, 1, 1, 1, 1])), index=1
    )
    blind = replace(tile, selected=np.zeros(tile.n_galaxies, dtype=bool), index=2)

    found = infer_selection([tile, bluer, blind], survey, CHAINS, seed=SEED).zero_points

    assert found is not None
    assert np.all(found[1, :2] > found[0, :2] + 0.01)
    np.testing.assert_array_equal(found[2], 0)
