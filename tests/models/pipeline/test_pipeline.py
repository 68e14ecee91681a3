"""The whole way from a tile to its answer, on a small simulated survey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from surveys import OPTIONS, fit_small, relabel, simulate_tile, with_photometry

from hbmlc_models.anchors import Anchors
from hbmlc_models.base_models import load_version
from hbmlc_models.metalearning.network import Head
from hbmlc_models.pipeline import (
    AnchorRule,
    CalibrationOptions,
    Flag,
    NoCurveError,
    NoLabelsError,
    Preset,
    SurveyFit,
    TileDensity,
    TileResult,
    TileSelection,
    adapt_tiles,
    fuse_tiles,
    infer_selection,
    redshift_grid,
)
from hbmlc_models.selection.curve import Curve
from hbmlc_models.selection.holdout import is_held_out
from hbmlc_models.selection.posterior import TilePosterior
from hbmlc_models.selection.sampler import Convergence
from hbmlc_models.tile import Tile, merge_tiles

SEED = 3
Z_GRID = redshift_grid(OPTIONS)


def calibrate(
    tiles: Sequence[Tile],
    survey: SurveyFit,
    selection: TileSelection,
    options: CalibrationOptions = OPTIONS,
) -> list[TileResult]:
    density = adapt_tiles([tiles], [selection.anchors], survey, options)[0]
    return list(fuse_tiles(tiles, selection, density, survey, options, seed=SEED))


def assert_sound(result: TileResult, tile: Tile) -> None:
    """Every number is finite, every density integrates to one, quantiles are ordered."""
    for name, column in result.columns.items():
        assert column.shape == (tile.n_galaxies,), name
        assert np.isfinite(column).all(), name
    assert result.pdf.shape == (tile.n_galaxies, len(Z_GRID))
    assert np.all(np.isfinite(result.pdf) & (result.pdf >= 0))
    np.testing.assert_allclose(np.trapezoid(result.pdf, Z_GRID, axis=1), 1.0, rtol=1e-4)
    quantiles = [
        result.columns[name] for name in ("z_q025", "z_q16", "z_median", "z_q84", "z_q975")
    ]
    assert np.all(np.diff(quantiles, axis=0) >= 0)
    for name in ("p_selected", "support", "odds"):
        assert np.all((result.columns[name] >= 0) & (result.columns[name] <= 1 + 1e-9)), name


def flagged(result: TileResult, flag: Flag) -> np.ndarray:
    return (np.asarray(result.columns["flags"]) & flag.value) > 0


def flat_selection(survey: SurveyFit, *, anchors: Anchors | None = None) -> TileSelection:
    """Selection whose posterior is one draw: the survey's own propensity, without a tilt."""
    nobody = Anchors(index=np.empty(0, dtype=np.int64), weight=np.empty(0))
    return TileSelection(
        posterior=TilePosterior(
            alpha=survey.alpha[None],
            gamma=np.array([survey.gamma]),
            beta=np.array([-1.0]),
            tilt=np.zeros((1, 2)),
        ),
        convergence=Convergence(r_hat=1.0, ess=1000.0, n_divergences=0, n_tries=1),
        anchors=anchors or nobody,
    )


@pytest.fixture(scope="session")
def selection(tile: Tile, survey: SurveyFit) -> TileSelection:
    return infer_selection([tile], survey, OPTIONS, seed=SEED)


@pytest.fixture(scope="session")
def result(tile: Tile, survey: SurveyFit, selection: TileSelection) -> TileResult:
    return calibrate([tile], survey, selection)[0]


def test_answer_is_finite_and_normalised(tile: Tile, result: TileResult) -> None:
    assert_sound(result, tile)


def test_answer_knows_something_of_redshift(tile: Tile, result: TileResult) -> None:
    labelled = tile.is_labelled
    error = (result.columns["z_phot"] - tile.z_spec)[labelled] / (1 + tile.z_spec[labelled])

    # A constant answer at the mean has a scatter near 0.1 here; ten seconds of fitting do better.
    spread = np.std(tile.z_spec[labelled] / (1 + tile.z_spec[labelled].mean()))
    assert np.median(np.abs(error)) < 0.5 * spread


def test_brighter_galaxies_are_more_likely_selected(tile: Tile, result: TileResult) -> None:
    p_selected = result.columns["p_selected"]

    assert p_selected[tile.is_labelled].mean() > 2 * p_selected[~tile.is_labelled].mean()


def test_flags_say_what_is_true(
    tile: Tile, survey: SurveyFit, selection: TileSelection, result: TileResult
) -> None:
    is_anchor = np.isin(np.arange(tile.n_galaxies), selection.anchors.index)
    held = is_held_out(tile.row, fraction=survey.hold_out_fraction, seed=SEED)

    np.testing.assert_array_equal(flagged(result, Flag.IS_ANCHOR), is_anchor)
    np.testing.assert_array_equal(flagged(result, Flag.HELD_OUT), held & tile.is_labelled)
    assert not flagged(result, Flag.NO_ANCHORS).any()
    assert not flagged(result, Flag.BANDS_MISSING).any()
    # A hundred draws cannot have four hundred effective ones.
    assert flagged(result, Flag.DEGRADED_TILE).all()
    assert not result.diagnostics["is_converged"]


def test_anchors_are_usable_labels(tile: Tile, survey: SurveyFit, selection: TileSelection) -> None:
    held = is_held_out(tile.row, fraction=survey.hold_out_fraction, seed=SEED)

    assert 0 < len(selection.anchors.index) <= OPTIONS.n_anchors
    assert tile.is_labelled[selection.anchors.index].all()
    assert not held[selection.anchors.index].any()


def test_same_seed_gives_the_same_bytes(
    tile: Tile, survey: SurveyFit, selection: TileSelection
) -> None:
    again = fit_small(tile)
    selection_again = infer_selection([tile], again, OPTIONS, seed=SEED)
    densities = [
        adapt_tiles([[tile]], [s.anchors], fit, OPTIONS)[0].to_bytes()
        for s, fit in ((selection, survey), (selection_again, again))
    ]

    assert again.to_bytes() == survey.to_bytes()
    assert selection_again.to_bytes() == selection.to_bytes()
    assert densities[0] == densities[1]


def test_what_stages_leave_reads_back(
    tile: Tile, survey: SurveyFit, selection: TileSelection, result: TileResult
) -> None:
    survey_back = SurveyFit.from_bytes(survey.to_bytes())
    selection_back = TileSelection.from_bytes(selection.to_bytes())
    density = adapt_tiles([[tile]], [selection_back.anchors], survey_back, OPTIONS)[0]
    density_back = TileDensity.from_bytes(density.to_bytes())
    found = next(fuse_tiles([tile], selection_back, density_back, survey_back, OPTIONS, seed=SEED))

    assert survey_back.to_bytes() == survey.to_bytes()
    np.testing.assert_array_equal(found.pdf, result.pdf)
    for name, column in result.columns.items():
        np.testing.assert_array_equal(found.columns[name], column)


def test_fit_lies_in_memory_as_it_is_read_back(survey: SurveyFit) -> None:
    # Sums and products differ in their last bits with the layout and the order of what goes in.
    basis = survey.basis
    for array in (basis.centre, basis.spread, basis.knots, basis.mean, basis.whitening):
        assert array.flags.c_contiguous
    for array in (survey.population.means, survey.population.covariances, survey.support.points):
        assert array.flags.c_contiguous
    back = SurveyFit.from_bytes(survey.to_bytes()).network
    assert list(back.weights) == list(survey.network.weights)
    assert list(back.rates) == list(survey.network.rates)


def test_tiles_of_a_unit_share_a_posterior_and_keep_their_own_galaxies(
    tile: Tile, survey: SurveyFit
) -> None:
    tiles = [
        replace(tile.take(np.arange(150)), index=0),
        replace(tile.take(np.arange(150, 400)), index=1),
    ]
    # Zero points are each tile's own: without them two tiles are as good as one.
    selection = replace(infer_selection(tiles, survey, OPTIONS, seed=SEED), zero_points=None)

    split = calibrate(tiles, survey, selection)
    whole = calibrate([merge_tiles(tiles)], survey, selection)[0]

    assert [len(part.pdf) for part in split] == [150, 250]
    np.testing.assert_array_equal(np.concatenate([part.pdf for part in split]), whole.pdf)
    flags = np.concatenate([part.columns["flags"] for part in split])
    np.testing.assert_array_equal(flags, whole.columns["flags"])
    assert sum(part.diagnostics["n_anchors"] for part in split) == len(selection.anchors.index)


def test_permuting_galaxies_permutes_the_answer(
    tile: Tile, survey: SurveyFit, result: TileResult, selection: TileSelection
) -> None:
    order = np.random.default_rng(1).permutation(tile.n_galaxies)
    place = np.argsort(order)
    anchors = place[selection.anchors.index]
    sorting = np.argsort(anchors)
    moved = Anchors(index=anchors[sorting], weight=selection.anchors.weight[sorting])

    found = calibrate([tile.take(order)], survey, replace(selection, anchors=moved))[0]

    np.testing.assert_allclose(found.pdf, result.pdf[order], rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("labelled", ["one galaxy", "no labels", "all labels", "one label"])
def test_degenerate_tile_has_a_sound_answer(tile: Tile, survey: SurveyFit, labelled: str) -> None:
    n = 1 if labelled == "one galaxy" else 40
    chosen = {
        "one galaxy": np.zeros(1, bool),
        "no labels": np.zeros(n, bool),
        "all labels": np.ones(n, bool),
        "one label": np.arange(n) == 0,
    }[labelled]
    small = relabel(tile.take(np.arange(n)), chosen)

    selection = infer_selection([small], survey, OPTIONS, seed=SEED)
    found = calibrate([small], survey, selection)[0]

    assert_sound(found, small)
    assert flagged(found, Flag.NO_ANCHORS).all() == (len(selection.anchors.index) == 0)


@pytest.mark.parametrize("rule", list(AnchorRule))
@pytest.mark.parametrize("n_anchors", [0, 5])
def test_anchors_are_as_many_as_asked(
    tile: Tile, survey: SurveyFit, rule: AnchorRule, n_anchors: int
) -> None:
    options = replace(OPTIONS, anchors=rule, n_anchors=n_anchors)
    small = tile.take(np.arange(200))

    found = infer_selection([small], survey, options, seed=SEED)

    assert len(found.anchors.index) == n_anchors


def test_galaxy_without_photometry_gets_the_population_and_a_flag(
    tile: Tile, survey: SurveyFit
) -> None:
    flux = tile.photometry.flux[:50].copy()
    flux[:3] = np.nan
    flux[3, 0] = np.nan
    blind = with_photometry(tile.take(np.arange(50)), flux)

    found = calibrate([blind], survey, flat_selection(survey))[0]

    assert_sound(found, blind)
    np.testing.assert_array_equal(flagged(found, Flag.NO_PHOTOMETRY), np.arange(50) < 3)
    np.testing.assert_array_equal(flagged(found, Flag.BANDS_MISSING), np.arange(50) < 4)
    assert flagged(found, Flag.NO_ANCHORS).all()
    assert flagged(found, Flag.PRIOR_DOMINATED)[:3].all()
    # All galaxies without photometry and of one S are alike.
    same_s = ~blind.is_labelled[:3]
    alike = found.pdf[:3][same_s]
    np.testing.assert_allclose(alike, np.broadcast_to(alike[:1], alike.shape), rtol=1e-5)


def test_units_adapt_side_by_side_as_they_do_alone(
    tile: Tile, survey: SurveyFit, selection: TileSelection
) -> None:
    other = simulate_tile(60, seed=2, index=1)
    nobody = flat_selection(survey).anchors

    both = adapt_tiles([[tile], [other]], [selection.anchors, nobody], survey, OPTIONS)

    for unit, anchors, found in zip((tile, other), (selection.anchors, nobody), both, strict=True):
        alone = adapt_tiles([[unit]], [anchors], survey, OPTIONS)[0]
        np.testing.assert_allclose(found.outputs, alone.outputs, rtol=1e-4, atol=1e-5)
    assert adapt_tiles([], [], survey, OPTIONS) == []


def test_point_head_has_an_answer_of_its_own(tile: Tile) -> None:
    options = replace(OPTIONS, head=Head.MSE)
    survey = fit_small(tile, options=options)

    found = calibrate([tile], survey, flat_selection(survey), options)[0]

    assert survey.network.architecture.head is Head.MSE
    assert_sound(found, tile)


def test_no_labels_and_no_shipped_population_is_refused_helpfully(tile: Tile) -> None:
    unlabelled = relabel(tile, np.zeros(tile.n_galaxies, bool))
    unknown = replace(unlabelled.photometry, bands=("a", "b", "c", "d", "e", "f"))

    with pytest.raises(NoLabelsError, match=r"0 galaxies.*'auto'.*a, b, c.*Add spec-z") as caught:
        fit_small(replace(unlabelled, photometry=unknown))

    assert caught.value.code == "no-labels"


@pytest.mark.parametrize("n_labels", [0, 5])
def test_shipped_population_serves_a_catalogue_of_next_to_no_labels(
    tile: Tile, survey: SurveyFit, n_labels: int
) -> None:
    shipped = replace(
        load_version("auto", 1),
        name="shipped",
        bands=tile.photometry.bands,
        network=survey.network,
        population=survey.population,
        frame=survey.frame,
    )
    chosen = np.zeros(tile.n_galaxies, bool)
    chosen[np.flatnonzero(tile.is_labelled)[:n_labels]] = True
    few = relabel(tile, chosen)

    fit = fit_small(few, model=shipped)
    found = calibrate([few], fit, flat_selection(fit))[0]

    assert_sound(found, few)
    assert flagged(found, Flag.OUT_OF_COVERAGE).all()
    assert fit.shipped_from == "shipped:1"
    assert fit.shipped_share == 1
    # Nobody was selected, so nothing has to be corrected.
    assert fit.beta_mean == 0


def test_version_of_another_camera_serves_where_the_bands_are_its_own(tile: Tile) -> None:
    unlabelled = relabel(tile, np.zeros(tile.n_galaxies, bool))

    fit = fit_small(unlabelled)

    assert fit.shipped_from.startswith(("lsst-ugrizy", "euclid-lsst"))


def test_seed_preset_without_labels_is_refused_helpfully(tile: Tile) -> None:
    unlabelled = relabel(tile, np.zeros(tile.n_galaxies, bool))

    with pytest.raises(NoCurveError, match="default preset") as caught:
        fit_small(unlabelled, options=replace(OPTIONS, preset=Preset.SEED))

    assert caught.value.code == "no-labels"


def straight_curve(tile: Tile, survey: SurveyFit) -> Curve:
    """Curve of the seed preset by least squares, which is quicker than by NUTS."""
    labelled = tile.take(tile.is_labelled)
    values, _ = survey.frame.luptitudes(labelled.photometry)
    log1p_z = np.log1p(labelled.z_spec)
    knots = np.linspace(0, log1p_z.max(), 8)
    lines = np.polyfit(log1p_z, values, 1)
    residual = values - np.outer(log1p_z, lines[0]) - lines[1]
    brightness = residual.mean(axis=1, keepdims=True)
    return Curve(
        knots=knots,
        values=np.outer(knots, lines[0]) + lines[1],
        scatter=(residual - brightness).std(axis=0),
        common=np.full(values.shape[1], brightness.std()),
        convergence=Convergence(r_hat=1.0, ess=1000.0, n_divergences=0, n_tries=1),
    )


def test_seed_preset_has_a_sound_answer(tile: Tile, survey: SurveyFit) -> None:
    options = replace(OPTIONS, preset=Preset.SEED, anchors=AnchorRule.TOP)
    curved = SurveyFit.from_bytes(replace(survey, curve=straight_curve(tile, survey)).to_bytes())

    selection = infer_selection([tile], curved, options, seed=SEED)
    selection = TileSelection.from_bytes(selection.to_bytes())
    found = calibrate([tile], curved, selection, options)[0]

    assert_sound(found, tile)
    mu_z, sigma_z = selection.posterior.normal_redshifts()
    assert np.all((mu_z > 0) & (sigma_z > 0))
    assert tile.is_labelled[selection.anchors.index].all()


def test_very_few_labels_are_enough(tile: Tile) -> None:
    first = np.flatnonzero(tile.is_labelled)[:9]
    few = relabel(tile, np.isin(np.arange(tile.n_galaxies), first))

    fit = fit_small(few)
    found = calibrate([few], fit, flat_selection(fit))[0]

    assert fit.hold_out_fraction == 0.0
    assert_sound(found, few)


def test_band_that_was_observed_in_part_is_used_in_part(tile: Tile) -> None:
    flux = tile.photometry.flux.copy()
    flux[::2, 0] = np.nan
    flux[:, 5] = np.nan
    partly = with_photometry(tile, flux)

    fit = fit_small(partly)
    found = calibrate([partly], fit, flat_selection(fit))[0]

    assert_sound(found, partly)
    assert flagged(found, Flag.BANDS_MISSING).all()
    assert not flagged(found, Flag.NO_PHOTOMETRY).any()


@pytest.mark.parametrize("bands", [("u", "B", "V", "r", "i", "z", "J", "K"), ("K",)], ids="".join)
def test_any_set_of_bands_works(tile: Tile, bands: tuple[str, ...]) -> None:
    take = np.arange(len(bands)) * 5 // max(len(bands) - 1, 1)
    exotic = with_photometry(tile, tile.photometry.flux[:, take], bands=bands)

    fit = fit_small(exotic)
    found = calibrate([exotic], fit, flat_selection(fit))[0]

    assert fit.frame.bands == bands
    assert_sound(found, exotic)


def test_galaxies_all_alike_have_a_sound_answer(tile: Tile) -> None:
    flux = np.tile(tile.photometry.flux[:1], (tile.n_galaxies, 1))
    alike = with_photometry(tile, flux)

    fit = fit_small(alike)
    found = calibrate([alike], fit, flat_selection(fit))[0]

    assert_sound(found, alike)


def test_unlabelled_sky_is_further_away_where_selection_falls_with_redshift(
    tile: Tile, survey: SurveyFit
) -> None:
    unlabelled = relabel(tile, np.zeros(tile.n_galaxies, bool))
    steep = flat_selection(survey)
    none = replace(steep, posterior=replace(steep.posterior, beta=np.zeros(1)))

    means = [calibrate([unlabelled], survey, s)[0].columns["z_mean"] for s in (steep, none)]

    # exp(-βz) with β < 0 moves every density up, none down.
    assert np.all(means[0] >= means[1] - 1e-6)
    assert means[0].mean() > means[1].mean()


def test_beta_band_surrounds_unlabelled_estimates_and_leaves_labelled_ones(
    tile: Tile, result: TileResult
) -> None:
    z_phot, low, high = (
        result.columns[name] for name in ("z_phot", "z_phot_beta_low", "z_phot_beta_high")
    )
    labelled = tile.is_labelled

    # A lower β leaves more distant galaxies without a spectrum.
    assert low[~labelled].mean() > z_phot[~labelled].mean() > high[~labelled].mean()
    np.testing.assert_array_equal(low[labelled], z_phot[labelled])
    np.testing.assert_array_equal(high[labelled], z_phot[labelled])
