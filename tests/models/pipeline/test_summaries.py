"""What a catalogue as a whole says, from the results of its tiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from surveys import OPTIONS, relabel

from hbmlc_models.pipeline import (
    CatalogSummary,
    Summaries,
    SurveyFit,
    TileResult,
    adapt_tiles,
    fuse_tiles,
    infer_selection,
)
from hbmlc_models.tile import Tile

SEED = 3


@pytest.fixture(scope="module")
def tiles(tile: Tile) -> list[Tile]:
    parts = np.array_split(np.arange(tile.n_galaxies), 2)
    return [replace(tile.take(rows), index=k, name=f"t{k}") for k, rows in enumerate(parts)]


@pytest.fixture(scope="module")
def results(tiles: list[Tile], survey: SurveyFit) -> list[TileResult]:
    selection = infer_selection(tiles, survey, OPTIONS, seed=SEED)
    density = adapt_tiles([tiles], [selection.anchors], survey, OPTIONS)[0]
    return list(fuse_tiles(tiles, selection, density, survey, OPTIONS, seed=SEED))


def summarise(
    folder: Path, survey: SurveyFit, tiles: list[Tile], results: list[TileResult]
) -> tuple[CatalogSummary, list[Mapping[str, float]]]:
    folder.mkdir()
    with Summaries(folder, survey, OPTIONS, seed=SEED) as summaries:
        seen = [summaries.see(t, r) for t, r in zip(tiles, results, strict=True)]
        return summaries.finish(), seen


def test_tiles_get_their_columns(
    tmp_path: Path, survey: SurveyFit, tiles: list[Tile], results: list[TileResult]
) -> None:
    summary, seen = summarise(tmp_path / "a", survey, tiles, results)

    for tile, columns in zip(tiles, seen, strict=True):
        assert set(columns) >= {
            "n_effective",
            "smd_before_max",
            "smd_after_mag_i",
            "smd_before_g_r",
        }
        assert np.isfinite(list(columns.values())).all()
        assert 1 <= columns["n_effective"] <= tile.n_labelled
        # Labels are the bright ones.
        assert columns["smd_before_mag_i"] < -0.5
    for found in summary.n_of_z.tiles:
        columns = found.columns()
        assert columns["nz_mean_beta_low"] > columns["nz_mean"] > columns["nz_mean_beta_high"]
        assert columns["nz_mean_std"] > 0
    assert [found.name for found in summary.n_of_z.tiles] == ["t0", "t1"]


def test_targets_are_unlabelled_galaxies_of_their_tile(
    tmp_path: Path, survey: SurveyFit, tiles: list[Tile], results: list[TileResult]
) -> None:
    summary, _ = summarise(tmp_path / "a", survey, tiles, results)

    targets = summary.targets
    assert summary.band == "i"
    assert len(targets["rank"]) > 0
    for index, position, z_phot, mag in zip(
        *(targets[name] for name in ("tile_index", "position", "z_phot", "mag")), strict=True
    ):
        tile = tiles[index]
        assert not tile.selected[position]
        assert z_phot == pytest.approx(results[index].columns["z_phot"][position])
        assert mag == pytest.approx(tile.photometry.mag[position, tile.photometry.bands.index("i")])


def test_every_unlabelled_galaxy_counts_once(
    tmp_path: Path, survey: SurveyFit, tiles: list[Tile], results: list[TileResult]
) -> None:
    found = summarise(tmp_path / "a", survey, tiles, results)[0].n_of_z

    assert found.sums.count[0] == sum((~tile.is_labelled).sum() for tile in tiles)
    np.testing.assert_allclose(found.estimate.n_of_z.sum(axis=2), 1.0)
    assert np.isfinite(found.sampling).all()


def test_catalogue_without_labels_has_summaries_too(
    tmp_path: Path, survey: SurveyFit, tiles: list[Tile], results: list[TileResult]
) -> None:
    blank = [relabel(tile, np.zeros(tile.n_galaxies, bool)) for tile in tiles]

    summary, seen = summarise(tmp_path / "a", survey, blank, results)

    assert seen[0]["n_effective"] == 0
    assert np.isnan(summary.balance.before).all()
    assert np.isfinite(summary.n_of_z.density).all()
    assert len(summary.targets["rank"]) > 0
