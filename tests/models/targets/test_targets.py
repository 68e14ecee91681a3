"""Whom to observe next: what decides, what is diverse, what does not depend on the order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from uploads import make_columns, write_parquet

from hbmlc_models.formats import CanonicalCatalog, ingest
from hbmlc_models.formats.results import write_targets
from hbmlc_models.formats.spool import Spool
from hbmlc_models.photometry import Photometry, flux_from_mag
from hbmlc_models.targets import (
    MAX_TARGETS,
    PER_REGION,
    Candidates,
    TargetCollector,
    expected_gain,
    fit_regions,
    gather_candidates,
    observing_cost,
)
from hbmlc_models.tile import Tile

LABELLED_MAG = np.linspace(18, 22, 101)


def make_candidates(n: int = 3000, *, seed: int = 1, **given: Any) -> Candidates:
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = {
        "position": np.arange(n),
        "features": rng.standard_normal((n, 3)).astype("f4"),
        "mag": rng.uniform(20, 25, n).astype("f4"),
        "risk": rng.random(n).astype("f4"),
        "shown": rng.random((n, 4)).astype("f4"),
    }
    return Candidates(**{**values, **given})


def choose(path: Path, tiles: Mapping[int, Candidates]) -> Mapping[str, Any]:
    with Spool(path) as spool:
        collector = TargetCollector(spool, n_features=3, seed=5)
        for index, candidates in tiles.items():
            collector.add(index, candidates, labelled_mag=LABELLED_MAG)
        return collector.finish()


def test_score_is_what_the_columns_say(tmp_path: Path) -> None:
    found = choose(tmp_path / "spool", {0: make_candidates()})

    gain = expected_gain(deficit=1 - found["support"], density=found["density"], risk=found["risk"])
    np.testing.assert_allclose(found["expected_gain"], gain, rtol=1e-5)
    cost = observing_cost(found["mag"].astype(float), reach=21.6)
    np.testing.assert_allclose(found["cost"], cost, rtol=0.1)
    score = gain / found["cost"] / found["place_in_region"]
    np.testing.assert_allclose(found["score"], score, rtol=1e-5)
    assert np.all(np.diff(found["score"]) <= 0)
    assert found["rank"].tolist() == list(range(1, len(score) + 1))


def test_list_is_short_and_diverse(tmp_path: Path) -> None:
    found = choose(tmp_path / "spool", {k: make_candidates(5000, seed=k) for k in range(3)})

    assert len(found["rank"]) == MAX_TARGETS
    regions, count = np.unique(found["region"], return_counts=True)
    assert count.max() <= PER_REGION
    assert len(regions) >= MAX_TARGETS / PER_REGION
    pairs = set(zip(found["tile_index"], found["position"], strict=True))
    assert len(pairs) == MAX_TARGETS


def test_order_of_tiles_does_not_matter(tmp_path: Path) -> None:
    tiles = {k: make_candidates(800, seed=k) for k in range(3)}

    one = choose(tmp_path / "a", tiles)
    two = choose(tmp_path / "b", dict(reversed(tiles.items())))

    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-6, err_msg=name)


def test_the_brighter_of_two_alike_comes_first(tmp_path: Path) -> None:
    n = 400
    alike = make_candidates(n, risk=np.full(n, 0.5, "f4"), shown=np.full((n, 4), 0.5, "f4"))

    found = choose(tmp_path / "spool", {0: alike})

    for region in np.unique(found["region"]):
        inside = found["region"] == region
        assert np.all(
            np.diff(found["mag"][inside][np.argsort(found["place_in_region"][inside])]) >= 0
        )


@pytest.mark.parametrize("known", ["support", "risk"])
def test_what_is_known_already_is_not_listed(tmp_path: Path, known: str) -> None:
    candidates = make_candidates(300)
    known_rows = np.arange(300) < 150
    if known == "support":
        candidates.shown[known_rows, 2] = 1.0
    else:
        candidates.risk[known_rows] = 0.0

    found = choose(tmp_path / "spool", {0: candidates})

    assert len(found["position"]) > 0
    assert found["position"].min() >= 150


def test_crowded_kinds_come_before_rare_ones(tmp_path: Path) -> None:
    n = 1204
    features = np.random.default_rng(0).standard_normal((n, 3)).astype("f4")
    features[:400] = 1.0 + 0.02 * features[:400]
    features[-4:] = -1.0 + 0.02 * features[-4:]
    is_compared = (np.arange(n) < 400) | (np.arange(n) >= 1200)
    candidates = make_candidates(
        n,
        features=features,
        mag=np.full(n, 22, "f4"),
        risk=np.where(is_compared, 0.5, 0.0).astype("f4"),
        shown=np.full((n, 4), 0.5, "f4"),
    )

    found = choose(tmp_path / "spool", {0: candidates})

    assert found["position"][0] < 400
    assert np.any(found["position"] >= 1200)


@pytest.mark.parametrize("sizes", [[], [0], [0, 1], [3]])
def test_hardly_any_candidates_are_no_problem(tmp_path: Path, sizes: list[int]) -> None:
    found = choose(tmp_path / "spool", {k: make_candidates(n) for k, n in enumerate(sizes)})

    assert len(found.get("rank", [])) <= sum(sizes)


def test_candidates_were_never_selected_and_are_seen() -> None:
    n = 6
    flux = flux_from_mag(np.full((n, 2), 22.0))
    detected = np.ones((n, 2), bool)
    detected[0, 1] = False
    selected = np.arange(n) == 1
    tile = Tile(
        name="t",
        index=0,
        row=np.arange(n),
        photometry=Photometry(
            bands=("g", "i"), flux=flux, flux_err=flux / 10, is_detected=detected
        ),
        z_spec=np.full(n, np.nan),
        selected=selected,
    )
    columns = {name: np.zeros(n) for name in ("z_phot", "z_std", "support", "p_selected")}

    found = gather_candidates(
        tile,
        columns,
        np.ones((n, 31)),
        features=np.zeros((n, 2)),
        reference=1,
        z_grid=np.linspace(0, 3, 31),
        price=0.06,
    )

    assert found.position.tolist() == [2, 3, 4, 5]
    assert found.mag == pytest.approx(22.0, abs=1e-5)


def test_regions_tell_crowds_from_the_few() -> None:
    rng = np.random.default_rng(2)
    features = rng.standard_normal((8192, 4))
    # A third of the galaxies are of one kind.
    features[::3] = 0.05 * features[::3] + 1.0

    regions = fit_regions(features)

    count = np.bincount(regions.of(features), minlength=regions.n_regions)
    assert count.max() > 2000
    assert np.median(count) < 20


def test_regions_are_indifferent_to_what_was_not_observed() -> None:
    rng = np.random.default_rng(2)
    features = rng.standard_normal((4096, 4))
    features[:, 3] = np.nan
    features[::5, 1] = np.nan

    regions = fit_regions(features)

    found = regions.of(features)
    assert regions.n_regions == 256
    assert len(np.unique(found)) == 256
    np.testing.assert_array_equal(
        found, regions.of(np.where(np.isnan(features), regions.middle, features))
    )


def test_file_names_galaxies_as_they_were_uploaded(tmp_path: Path) -> None:
    columns = make_columns(50)
    columns["ra"], columns["dec"] = np.linspace(0, 350, 50), np.linspace(-40, 40, 50)
    columns["id"] = [f"g{number}" for number in columns["id"]]
    write_parquet(tmp_path / "upload", columns)
    ingest(tmp_path / "upload", tmp_path / "canonical.parquet")
    with CanonicalCatalog.open(tmp_path / "canonical.parquet") as catalog:
        tiles = {e.index: catalog.read_tile(e.index) for e in catalog.tiles}
        targets = choose(
            tmp_path / "spool",
            {k: make_candidates(tile.n_galaxies, seed=k) for k, tile in tiles.items()},
        )

        write_targets(tmp_path / "targets.parquet", catalog, targets, band="i")
        write_targets(tmp_path / "empty.parquet", catalog, {}, band="i")

    table, empty = (pq.read_table(tmp_path / f"{n}.parquet") for n in ("targets", "empty"))
    rows = [
        tiles[t].row[p] for t, p in zip(targets["tile_index"], targets["position"], strict=True)
    ]
    assert table["id"].to_pylist() == [columns["id"][row] for row in rows]
    assert table["tile"].to_pylist() == [columns["tile"][row] for row in rows]
    np.testing.assert_allclose(table["ra"].to_numpy(), columns["ra"][rows])
    assert table.column_names[:6] == ["rank", "id", "tile", "ra", "dec", "mag_i"]
    assert (empty.num_rows, empty.schema.names) == (0, table.column_names)
