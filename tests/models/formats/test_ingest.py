"""Ingest: what goes in comes out, whatever the format, the order and the conventions."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uploads import WRITERS, Columns, Writer, make_columns

from hbmlc_models.formats import CanonicalCatalog, ColumnMapping, IngestLimits, IngestReport, ingest
from hbmlc_models.photometry import AB_ZERO_JANSKY, flux_from_mag
from hbmlc_models.tile import Tile

SMALL_BATCHES = IngestLimits(batch_rows=7)


def ingested(path: Path, **options: object) -> tuple[CanonicalCatalog, IngestReport]:
    destination = path.with_name("canonical.parquet")
    report = ingest(path, destination, **options)  # type: ignore[arg-type]
    return CanonicalCatalog.open(destination), report


def whole(catalog: CanonicalCatalog) -> Tile:
    """All galaxies in upload order."""
    sample = catalog.sample(10**6, 10**6, np.random.default_rng(0)).tile
    return sample.take(np.argsort(sample.row))


def test_every_format_gives_the_same_catalogue(
    tmp_path: Path, columns: Columns, writer: Writer
) -> None:
    writer(tmp_path / "upload", columns)

    catalog, report = ingested(tmp_path / "upload", limits=SMALL_BATCHES)

    tile = whole(catalog)
    expected = np.stack([flux_from_mag(columns[f"mag_{b}"]) for b in "gri"], axis=1)
    np.testing.assert_allclose(tile.photometry.flux, expected, rtol=1e-6)
    np.testing.assert_allclose(tile.z_spec, columns["z_spec"], rtol=1e-6)
    assert tile.selected.sum() == report.n_labelled == 20
    assert catalog.bands == ("g", "r", "i")
    assert [entry.name for entry in catalog.tiles] == ["0", "1", "2"]


def test_ids_come_back_untouched(tmp_path: Path, columns: Columns, writer: Writer) -> None:
    writer(tmp_path / "upload", columns)

    catalog, _ = ingested(tmp_path / "upload", limits=SMALL_BATCHES)

    for entry in catalog.tiles:
        tile = catalog.read_tile(entry.index)
        ids = catalog.read_ids(entry.index).to_pylist()
        assert ids == columns["id"][tile.row].tolist()


@pytest.mark.parametrize("ids", [["007", "8", "é-9"], ["a", "bb", "ccc"]])
def test_text_ids_stay_text(tmp_path: Path, writer: Writer, ids: list[str]) -> None:
    if writer is WRITERS["hdf5"] or writer is WRITERS["fits"] or writer is WRITERS["votable"]:
        ids = [text.encode("ascii", "ignore").decode() for text in ids]
    writer(tmp_path / "upload", make_columns(3) | {"id": np.array(ids)})

    catalog, _ = ingested(tmp_path / "upload")

    found = [text for k in range(len(catalog.tiles)) for text in catalog.read_ids(k).to_pylist()]
    assert sorted(found) == sorted(ids)


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(list(range(12))), name=st.sampled_from(sorted(WRITERS)))
def test_permuting_the_rows_permutes_the_catalogue(order: list[int], name: str) -> None:
    columns = make_columns(12)
    permuted = {key: np.asarray(values)[order] for key, values in columns.items()}
    with tempfile.TemporaryDirectory() as folder:
        tiles = []
        for number, table in enumerate((columns, permuted)):
            path = Path(folder) / f"{number}"
            path.mkdir()
            WRITERS[name](path / "upload", table)
            tiles.append(whole(ingested(path / "upload")[0]))

    np.testing.assert_array_equal(tiles[0].photometry.flux[order], tiles[1].photometry.flux)
    np.testing.assert_array_equal(tiles[0].z_spec[order], tiles[1].z_spec)


NOT_OBSERVED = (np.nan, -99.0, -999.0)
NOT_DETECTED = (99.0, 99.9, np.inf)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.sampled_from([*NOT_OBSERVED, *NOT_DETECTED, 22.0]), min_size=4))
def test_conventions_of_magnitudes_have_one_meaning(values: list[float]) -> None:
    n = len(values) + 30
    columns = make_columns(n)
    columns["mag_r"] = np.array([*values, *[24.0] * 30])
    with tempfile.TemporaryDirectory() as folder:
        WRITERS["parquet"](Path(folder) / "upload", columns)
        tile = whole(ingested(Path(folder) / "upload")[0])

    flux, error = tile.photometry.flux[: len(values), 1], tile.photometry.flux_err[: len(values), 1]
    given_values = np.array(values)
    is_missing = np.isin(given_values, NOT_OBSERVED[1:]) | np.isnan(given_values)
    is_faint = np.isin(given_values, NOT_DETECTED)
    np.testing.assert_array_equal(np.isnan(flux), is_missing)
    np.testing.assert_array_equal(np.isnan(error), is_missing)
    np.testing.assert_array_equal(flux[is_faint], 0.0)
    assert np.all(error[is_faint] > 0)
    np.testing.assert_array_equal(
        tile.photometry.is_detected[: len(values), 1], ~is_missing & ~is_faint
    )


def test_null_is_not_observed(tmp_path: Path) -> None:
    columns = make_columns(12)
    (tmp_path / "upload").write_text(
        "id,mag_g,mag_err_g,z_spec\n1,20.0,0.1,0.5\n2,,0.1,\n3,null,0.1,NaN\n"
    )

    catalog, report = ingested(tmp_path / "upload")

    assert np.isnan(whole(catalog).photometry.flux[:, 0]).tolist() == [False, True, True]
    assert report.rejected == {"no_photometry": 2}
    assert len(columns["id"]) == 12


def test_depth_sets_the_noise_of_non_detections(tmp_path: Path) -> None:
    columns = make_columns(12) | {"depth_r": np.full(12, 25.0)}
    columns["mag_r"][:2] = np.inf
    WRITERS["parquet"](tmp_path / "upload", columns)

    catalog, _ = ingested(tmp_path / "upload")

    np.testing.assert_allclose(whole(catalog).photometry.flux_err[:2, 1], 1e-10 / 5, rtol=1e-6)


def test_limiting_magnitude_in_the_error_column_is_one_sigma(tmp_path: Path) -> None:
    columns = make_columns(12)
    columns["mag_r"][0], columns["mag_err_r"][0] = 99.0, 27.5
    WRITERS["parquet"](tmp_path / "upload", columns)

    catalog, _ = ingested(tmp_path / "upload")

    np.testing.assert_allclose(whole(catalog).photometry.flux_err[0, 1], 1e-11, rtol=1e-6)


def test_noise_floor_is_that_of_faint_detections(tmp_path: Path) -> None:
    columns = make_columns(90, bands="r")
    columns["tile"] = np.zeros(90, int)
    # Faint ones all have a flux error of 2e-12, bright ones ten times as much.
    flux = np.where(np.arange(90) < 60, 5e-12, 1e-9)
    columns["mag_r"] = -2.5 * np.log10(flux)
    columns["mag_err_r"] = 1.0857 * np.where(flux < 1e-11, 2e-12, 2e-11) / flux
    columns["mag_r"][0] = 99.0
    WRITERS["parquet"](tmp_path / "upload", columns)

    catalog, _ = ingested(tmp_path / "upload")

    np.testing.assert_allclose(whole(catalog).photometry.flux_err[0, 0], 2e-12, rtol=1e-3)


def test_negative_fluxes_are_kept_as_non_detections(tmp_path: Path) -> None:
    columns = {"id": np.arange(3), "flux_r": [-1.0, 5.0, 7.0], "flux_err_r": [1.0, 1.0, 1.0]}
    WRITERS["parquet"](tmp_path / "upload", columns | {"z_spec": [np.nan, np.nan, 1.0]})

    catalog, report = ingested(tmp_path / "upload")

    tile = whole(catalog)
    njy = 1e-9 / AB_ZERO_JANSKY
    np.testing.assert_allclose(tile.photometry.flux[:, 0] / njy, [-1, 5, 7], rtol=1e-6)
    assert tile.photometry.is_detected[:, 0].tolist() == [False, True, True]
    assert report.mapping.flux_unit == "nJy"


@given(st.sampled_from(["maggy", "nanomaggy", "Jy", "uJy", "nJy"]))
@settings(max_examples=5, deadline=None)
def test_changing_the_unit_leaves_the_fluxes(unit: str) -> None:
    scale = {"maggy": 3631e9, "nanomaggy": 3631, "Jy": 1e9, "uJy": 1e3, "nJy": 1.0}[unit]
    columns = {
        "id": np.arange(3),
        "flux_r": np.array([1.0, 5.0, 7.0]) / scale,
        "flux_err_r": np.ones(3) / scale,
        "z_spec": [np.nan, np.nan, 1.0],
    }
    with tempfile.TemporaryDirectory() as folder:
        WRITERS["parquet"](Path(folder) / "upload", columns)
        mapping = ColumnMapping.from_dict({"flux_unit": unit})
        tile = whole(ingested(Path(folder) / "upload", mapping=mapping)[0])

    np.testing.assert_allclose(tile.photometry.flux[:, 0] * 3631e9, [1, 5, 7], rtol=1e-6)


def test_units_and_unsigned_columns_of_fits_are_read(fits_with_units: Path) -> None:
    catalog, report = ingested(fits_with_units)

    assert report.mapping.flux_unit == "uJy"
    assert catalog.read_ids(0).to_pylist() == list(range(40))
    assert np.all(whole(catalog).photometry.mag > 21.4)


def test_unusable_values_are_counted_and_no_row_is_lost(tmp_path: Path) -> None:
    columns = make_columns(30)
    columns["mag_err_g"][:3] = [0.0, -1.0, np.nan]
    columns["z_spec"][:3] = [-0.3, 800.0, 0.0]
    columns |= {"ra": np.full(30, 10.0), "dec": np.full(30, 5.0)}
    columns["dec"][4] = 95.0
    WRITERS["parquet"](tmp_path / "upload", columns)

    catalog, report = ingested(tmp_path / "upload")

    assert report.n_rows == catalog.n_rows == 30
    assert report.rejected == {
        "bad_errors": 3,
        "position_out_of_range": 1,
        "z_spec_negative": 1,
        "z_spec_out_of_range": 1,
        "z_spec_star": 1,
    }


def test_selection_without_a_redshift_is_kept_but_no_label(tmp_path: Path) -> None:
    columns = make_columns(12) | {"selected": np.arange(12) < 6}
    columns["z_spec"] = np.where(np.arange(12) < 3, 0.5, np.nan)
    WRITERS["csv"](tmp_path / "upload", columns)

    catalog, report = ingested(tmp_path / "upload")

    assert whole(catalog).selected.sum() == 6
    assert report.n_labelled == 3


def test_none_selected_is_allowed_with_a_warning(tmp_path: Path) -> None:
    columns = make_columns(12)
    columns["z_spec"] = np.full(12, np.nan)
    WRITERS["parquet"](tmp_path / "upload", columns)

    _, report = ingested(tmp_path / "upload")

    assert report.n_labelled == 0
    assert any("no galaxy is selected" in warning for warning in report.warnings)


def test_positions_make_tiles_of_the_wanted_size(tmp_path: Path) -> None:
    n = 4000
    columns = make_columns(n)
    del columns["tile"]
    rng = np.random.default_rng(1)
    columns |= {"ra": rng.uniform(0, 20, n), "dec": rng.uniform(-10, 10, n)}
    WRITERS["parquet"](tmp_path / "upload", columns)

    catalog, report = ingested(tmp_path / "upload", limits=IngestLimits(mean_tile_galaxies=100))

    assert catalog.tiling == "healpix"
    assert 100 <= n / report.coverage.n_tiles < 400
    assert sum(entry.n_galaxies for entry in catalog.tiles) == n


def test_without_tiles_and_positions_there_is_one_tile(tmp_path: Path) -> None:
    columns = make_columns(12)
    del columns["tile"]
    WRITERS["parquet"](tmp_path / "upload", columns)

    catalog, _ = ingested(tmp_path / "upload")

    assert [entry.n_galaxies for entry in catalog.tiles] == [12]


def test_a_guessed_tile_that_is_almost_an_id_is_not_used(tmp_path: Path) -> None:
    columns = make_columns(200)
    columns["field"] = columns["id"]
    del columns["tile"]
    WRITERS["parquet"](tmp_path / "upload", columns)

    catalog, report = ingested(tmp_path / "upload")

    assert len(catalog.tiles) == 1
    assert any("field" in warning for warning in report.warnings)


def test_galaxies_without_a_tile_are_kept_together(tmp_path: Path) -> None:
    columns = make_columns(90) | {"tile": ["a"] * 45 + [""] * 45}
    WRITERS["parquet"](tmp_path / "upload", columns)

    catalog, report = ingested(tmp_path / "upload")

    assert [entry.name for entry in catalog.tiles] == ["a", "unassigned"]
    assert report.rejected["missing_tile"] == 45
    assert catalog.read_tile_values(1).null_count == 45


def test_unicode_column_names_are_mapped(tmp_path: Path) -> None:
    columns = make_columns(12, bands="g")
    renamed = {"größe": columns.pop("mag_g"), "σ": columns.pop("mag_err_g"), **columns}
    WRITERS["csv"](tmp_path / "upload", renamed)
    mapping = ColumnMapping(mag={"g": "größe"}, mag_err={"g": "σ"})

    catalog, _ = ingested(tmp_path / "upload", mapping=mapping)

    assert catalog.bands == ("g",)


def test_header_may_stand_in_a_comment(tmp_path: Path) -> None:
    text = "# made by hand\n# id\tmag_g\tmag_err_g\tz_spec\n1\t20.0\t0.1\t0.5\n2\t21.0\t0.1\tnan\n"
    (tmp_path / "upload").write_text(text)

    _, report = ingested(tmp_path / "upload")

    assert report.n_rows == 2
    assert report.n_labelled == 1


def test_same_upload_gives_the_same_bytes(tmp_path: Path, columns: Columns, writer: Writer) -> None:
    writer(tmp_path / "upload", columns)

    digests = {ingested(tmp_path / "upload")[1].digest for _ in range(2)}

    assert len(digests) == 1


def test_progress_rises_to_one(tmp_path: Path, columns: Columns) -> None:
    WRITERS["csv"](tmp_path / "upload", columns)
    seen: list[float] = []

    ingested(tmp_path / "upload", limits=SMALL_BATCHES, on_progress=seen.append)

    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_sample_is_random_and_bounded(tmp_path: Path) -> None:
    WRITERS["parquet"](tmp_path / "upload", make_columns(300))
    catalog, _ = ingested(tmp_path / "upload")

    sample = catalog.sample(10, 20, np.random.default_rng(1))

    assert sample.tile.n_labelled == 10
    assert sample.tile.n_galaxies == 30
    np.testing.assert_array_equal(sample.tile_index, sample.tile.row % 3)


def test_a_sample_knows_the_largest_label_of_all(tmp_path: Path) -> None:
    WRITERS["parquet"](tmp_path / "upload", make_columns(300))
    catalog, _ = ingested(tmp_path / "upload")

    part = catalog.sample(3, 3, np.random.default_rng(1))
    whole = catalog.sample(300, 300, np.random.default_rng(1)).tile

    assert part.largest_label == whole.z_spec[whole.is_labelled].max()


def test_a_big_tile_spans_row_groups_and_reads_as_one(tmp_path: Path) -> None:
    n = 70_000
    WRITERS["parquet"](tmp_path / "upload", make_columns(n, bands="g") | {"tile": np.zeros(n, int)})

    catalog, _ = ingested(tmp_path / "upload")

    assert catalog.tiles[0].row_groups == (0, 2)
    assert catalog.read_tile(0).row.tolist() == list(range(n))
