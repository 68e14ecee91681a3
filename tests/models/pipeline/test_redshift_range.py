"""How far redshifts reach: the grid follows labels, and no label is ever moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from surveys import OPTIONS, fit_small, simulate_tile

from hbmlc_models.base_models import ModelVersion, load_version
from hbmlc_models.photometry import Photometry
from hbmlc_models.pipeline import (
    CalibrationOptions,
    SurveyFit,
    TileResult,
    adapt_tiles,
    fuse_tiles,
    infer_selection,
    redshift_grid,
)
from hbmlc_models.pipeline.redshift_range import settle_range
from hbmlc_models.report import ReportCollector
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.tile import Tile, merge_tiles

SEED = 3
AUTO = load_version("auto", 1)
QUICK = replace(OPTIONS, n_grid=None)


def labelled_at(tile: Tile, *redshifts: float) -> Tile:
    """The same tile, the first labels of which have these redshifts."""
    z_spec = tile.z_spec.copy()
    z_spec[np.flatnonzero(tile.is_labelled)[: len(redshifts)]] = redshifts
    return replace(tile, z_spec=z_spec)


def version_with(*, mean: float, share: float) -> ModelVersion:
    """A version whose population has a share at redshift ``mean``, the others at 0.5."""
    zeta = np.log1p([0.5, mean])
    return replace(
        AUTO,
        population=Mixture(
            weights=np.array([1 - share, share]),
            means=np.column_stack([zeta, np.full((2, 6), 24.0)]),
            covariances=np.stack([np.diag([1e-3, *[0.1] * 6])] * 2),
        ),
    )


def distant_galaxies(n_galaxies: int = 160, *, first_row: int = 50_000) -> tuple[Tile, np.ndarray]:
    """Galaxies at redshifts 3.4 to 5.6 that drop out of u, g and r one after the other.

    The brighter half has labels. Returns the tile and the true redshifts.
    """
    rng = np.random.default_rng(5)
    z_true = rng.uniform(3.4, 5.6, n_galaxies)
    # Lyman-alpha passes 0.55 um (g to r) at z = 3.5 and 0.69 um (r to i) at z = 4.7.
    edge = 0.1216 * (1 + z_true)[:, None]
    centres = np.array([0.37, 0.48, 0.62, 0.75, 0.87, 0.97])
    passed = 1 / (1 + np.exp(-(centres - edge) / 0.04))
    mag = rng.uniform(22.5, 23.5, n_galaxies)
    flux = 10 ** (-0.4 * mag)[:, None] * passed
    flux_err = np.full(flux.shape, 10 ** (-0.4 * 28.0))
    observed = flux + flux_err * rng.standard_normal(flux.shape)
    is_labelled = mag < np.median(mag)
    tile = Tile(
        name="distant",
        index=0,
        row=np.arange(first_row, first_row + n_galaxies),
        photometry=Photometry(
            bands=("u", "g", "r", "i", "z", "y"),
            flux=observed,
            flux_err=flux_err,
            is_detected=observed > 0,
        ),
        z_spec=np.where(is_labelled, z_true, np.nan),
        selected=is_labelled,
    )
    return tile, z_true


def calibrate(tile: Tile, survey: SurveyFit, options: CalibrationOptions) -> TileResult:
    selection = infer_selection([tile], survey, options, seed=SEED)
    (density,) = adapt_tiles([[tile]], [selection.anchors], survey, options)
    (result,) = fuse_tiles([tile], selection, density, survey, options, seed=SEED)
    return result


@pytest.mark.parametrize(
    ("labels", "z_max", "n_grid"),
    [
        ((), 3.0, 301),
        ((3.0,), 3.0, 301),
        ((3.4,), 3.7, 371),
        ((4.5, 6.0), 6.4, 641),
        ((6.9,), 7.0, 701),
        ((6.0, 9.9), 6.4, 641),
    ],
)
def test_the_grid_follows_the_labels(
    tile: Tile, labels: tuple[float, ...], z_max: float, n_grid: int
) -> None:
    found = settle_range(CalibrationOptions(), labelled_at(tile, *labels), AUTO)

    assert (found.z_max, found.n_grid) == (pytest.approx(z_max), n_grid)


def test_a_label_that_the_sample_lacks_is_reached_too(tile: Tile) -> None:
    assert settle_range(CalibrationOptions(), tile, AUTO, largest_label=4.0).z_max == 4.3


def test_a_galaxy_that_no_survey_selected_is_no_label(tile: Tile) -> None:
    nobody = replace(labelled_at(tile, 5.0), selected=np.zeros(tile.n_galaxies, dtype=bool))

    assert settle_range(CalibrationOptions(), nobody, AUTO).z_max == 3.0


@pytest.mark.parametrize(("share", "z_max"), [(0.005, 3.0), (0.05, 4.9)])
def test_the_grid_follows_the_galaxies_of_the_model(tile: Tile, share: float, z_max: float) -> None:
    found = settle_range(CalibrationOptions(), tile, version_with(mean=4.5, share=share))

    assert found.z_max == pytest.approx(z_max)


def test_the_shipped_versions_keep_the_usual_grid(tile: Tile) -> None:
    model = load_version("lsst-ugrizy", 3)

    assert settle_range(CalibrationOptions(), tile, model).z_max == 3.0


def test_what_is_asked_for_stays(tile: Tile) -> None:
    asked = CalibrationOptions(z_max=2.0, n_grid=51)

    assert settle_range(asked, labelled_at(tile, 4.5), AUTO) == asked


def test_the_usual_grid_is_the_one_of_old() -> None:
    np.testing.assert_array_equal(redshift_grid(CalibrationOptions()), np.linspace(0, 3, 301))


def test_options_that_follow_survive_json() -> None:
    options = CalibrationOptions()

    assert CalibrationOptions.from_dict(options.as_dict()) == options


def test_distant_labels_teach_their_own_redshift() -> None:
    distant, z_true = distant_galaxies()
    near = simulate_tile(200)
    tile = merge_tiles([replace(near, extras={}), distant])

    survey = fit_small(tile, options=QUICK)
    result = calibrate(tile, survey, QUICK)

    z_grid = redshift_grid(survey.settled(QUICK))
    assert z_grid[-1] > z_true[distant.is_labelled].max()
    beyond = np.trapezoid(result.pdf[:, z_grid > 3], z_grid[z_grid > 3], axis=1)
    is_distant = np.arange(tile.n_galaxies) >= near.n_galaxies
    unlabelled = is_distant & ~tile.is_labelled
    assert np.median(beyond[unlabelled]) > 0.8
    error = result.columns["z_phot"][unlabelled] - z_true[~distant.is_labelled]
    assert np.median(np.abs(error)) < 0.5
    assert np.median(beyond[~is_distant]) < 0.2


def test_labels_beyond_the_end_that_is_asked_for_teach_nothing(tile: Tile) -> None:
    asked = replace(OPTIONS, z_max=3.0)
    distant = labelled_at(tile, 5.0, 5.5, 6.0)
    known = distant.z_spec <= 3.0
    without = replace(distant, z_spec=np.where(known, distant.z_spec, np.nan))

    taught, other = (fit_small(found, options=asked) for found in (distant, without))

    assert taught.n_labelled == other.n_labelled == tile.n_labelled - 3
    assert taught.to_bytes() == other.to_bytes()


def test_labels_that_are_left_out_are_counted_and_told(tile: Tile) -> None:
    distant = labelled_at(tile, 5.0, 5.5)
    collector = ReportCollector(np.linspace(0, 3, 31), bands=tile.photometry.bands)
    columns = {name: np.full(tile.n_galaxies, 0.5) for name in ("z_phot", "p_selected")}
    pdf = np.full((tile.n_galaxies, 31), 1 / 3)

    collector.add(distant, columns, pdf, held_out=np.ones(tile.n_galaxies, dtype=bool))
    data = collector.finish(title="t", tile_rows=[], provenance={})

    assert data.metrics_document()["n_labels_beyond_grid"] == 2
    assert "2 labels above z = 3" in data.warnings[0]
    assert len(data.z_spec) == tile.n_labelled - 2
    assert (data.z_spec <= 3).all()


def test_nothing_is_said_where_all_labels_are_used(tile: Tile) -> None:
    assert tile.labels_within(3.0) is tile
