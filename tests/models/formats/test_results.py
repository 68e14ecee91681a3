"""Result files: upload order, all galaxies once, readable by the field's tools, equal bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import qp
from astropy.io import fits
from scipy.stats import norm
from uploads import make_columns, write_parquet

from hbmlc_models.arrays import ShapeMismatchError
from hbmlc_models.formats import CanonicalCatalog, ingest
from hbmlc_models.formats.results import (
    RESULT_COLUMNS,
    IncompleteResultsError,
    ResultError,
    ResultWriter,
)

Z_GRID = np.linspace(0.0, 3.0, 301)
PROVENANCE = {"model": "lsst-ugrizy:1", "model_digest": "ab" * 32, "seed": "7"}


@pytest.fixture(params=["integer", "text"])
def catalog(request: pytest.FixtureRequest, tmp_path: Path) -> CanonicalCatalog:
    columns = make_columns(50)
    if request.param == "text":
        columns["id"] = [f"g{number:04d}" for number in columns["id"]]
        columns["tile"] = [f"t{number}" for number in columns["tile"]]
    write_parquet(tmp_path / "upload", columns)
    ingest(tmp_path / "upload", tmp_path / "canonical.parquet")
    return CanonicalCatalog.open(tmp_path / "canonical.parquet")


def means(rows: np.ndarray) -> np.ndarray:
    """A redshift that tells the row of the upload."""
    return 0.3 + 0.05 * rows


def write(
    directory: Path, catalog: CanonicalCatalog, *, order: int = 1, compact_rows: int = 10**6
) -> dict[str, Path]:
    with ResultWriter(directory, catalog, Z_GRID, PROVENANCE, compact_rows=compact_rows) as writer:
        for entry in catalog.tiles[::order]:
            tile = catalog.read_tile(entry.index)
            z = means(tile.row)
            columns = {
                column.name: np.full(len(z), 3, "i4") if column.dtype == "i4" else z.astype("f4")
                for column in RESULT_COLUMNS
            }
            pdf = norm.pdf(Z_GRID, z[:, None], 0.05).astype(np.float32)
            writer.write_tile(tile, columns, pdf)
        return writer.finish([{"tile": entry.name, "r_hat": 1.0} for entry in catalog.tiles])


def uploaded_ids(tmp_path: Path) -> list[int | str]:
    return pq.read_table(tmp_path / "upload")["id"].to_pylist()


def test_table_is_in_upload_order_with_every_galaxy_once(
    tmp_path: Path, catalog: CanonicalCatalog
) -> None:
    table = pq.read_table(write(tmp_path / "out", catalog)["photoz.parquet"])

    assert table["id"].to_pylist() == uploaded_ids(tmp_path)
    assert table["tile"].to_pylist() == pq.read_table(tmp_path / "upload")["tile"].to_pylist()
    np.testing.assert_allclose(table["z_phot"].to_numpy(), means(np.arange(50)), rtol=1e-6)
    assert table.column_names == [
        *("id", "tile"),
        *(column.name for column in RESULT_COLUMNS),
        *("z_spec", "selected"),
    ]


def test_labels_are_as_uploaded(tmp_path: Path, catalog: CanonicalCatalog) -> None:
    table = pq.read_table(write(tmp_path / "out", catalog)["photoz.parquet"])

    z_spec = pq.read_table(tmp_path / "upload")["z_spec"].to_numpy()
    np.testing.assert_allclose(table["z_spec"].to_numpy(), z_spec, rtol=1e-6)
    assert table["z_spec"].null_count == np.isnan(z_spec).sum()


def test_qp_reads_the_densities(tmp_path: Path, catalog: CanonicalCatalog) -> None:
    ensemble = qp.read(str(write(tmp_path / "out", catalog)["pdfs.hdf5"]))

    assert ensemble.npdf == 50
    np.testing.assert_allclose(ensemble.median().ravel(), means(np.arange(50)), atol=2e-3)
    assert ensemble.ancil["object_id"].tolist() == uploaded_ids(tmp_path)
    np.testing.assert_allclose(ensemble.ancil["zmode"], means(np.arange(50)), rtol=1e-6)


def test_compact_densities_keep_the_quantiles(tmp_path: Path, catalog: CanonicalCatalog) -> None:
    paths = write(tmp_path / "out", catalog, compact_rows=10)

    ensemble = qp.read(str(paths["pdfs.hdf5"]))

    for probability in (0.025, 0.16, 0.5, 0.84, 0.975):
        expected = norm.ppf(probability, means(np.arange(50)), 0.05)
        inside = expected < 2.9
        found = ensemble.ppf(probability).ravel()
        np.testing.assert_allclose(found[inside], expected[inside], atol=4e-3)
    with fits.open(paths["photoz.fits"]) as hdus:
        assert hdus["PDF"].data["quantiles"].nbytes / 50 <= 150


def test_fits_file_is_valid_and_says_where_it_comes_from(
    tmp_path: Path, catalog: CanonicalCatalog
) -> None:
    path = write(tmp_path / "out", catalog)["photoz.fits"]

    with fits.open(path) as hdus:
        hdus.verify("exception")
        table, density = hdus["PHOTOZ"], hdus["PDF"]
        assert (table.header["HBMODEL"], table.header["HBSEED"]) == ("lsst-ugrizy:1", "7")
        assert table.header["HBDIGEST"] == "ab" * 32
        assert table.header["TUCD1"] == "meta.id;meta.main"
        assert table.data["id"].tolist() == uploaded_ids(tmp_path)
        np.testing.assert_allclose(table.data["z_phot"], means(np.arange(50)), rtol=1e-6)
        assert table.data["selected"].sum() == 17
        integral = np.trapezoid(density.data["pdf"][0], hdus["ZGRID"].data["z"])
        assert integral == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("compact_rows", [10, 1000])
def test_same_results_give_the_same_bytes_in_any_order(
    tmp_path: Path, catalog: CanonicalCatalog, compact_rows: int
) -> None:
    one = write(tmp_path / "one", catalog, compact_rows=compact_rows)
    two = write(tmp_path / "two", catalog, compact_rows=compact_rows, order=-1)

    for name in one:
        assert one[name].read_bytes() == two[name].read_bytes(), name


def test_scratch_is_removed(tmp_path: Path, catalog: CanonicalCatalog) -> None:
    paths = write(tmp_path / "out", catalog)

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(paths)


def test_tiles_may_differ_in_their_keys(tmp_path: Path, catalog: CanonicalCatalog) -> None:
    table = pq.read_table(write(tmp_path / "out", catalog)["tiles.parquet"])

    assert table.num_rows == 3
    assert table["r_hat"].to_pylist() == [1.0] * 3


def test_a_missing_tile_is_an_error(tmp_path: Path, catalog: CanonicalCatalog) -> None:
    with ResultWriter(tmp_path / "out", catalog, Z_GRID, PROVENANCE) as writer:
        tile = catalog.read_tile(0)
        n = tile.n_galaxies
        writer.write_tile(tile, {"z_mode": np.zeros(n)}, np.ones((n, 301), np.float32))

        with pytest.raises(IncompleteResultsError, match=f"{n} of 50"):
            writer.finish([])


def test_tiles_must_bring_the_same_columns(tmp_path: Path, catalog: CanonicalCatalog) -> None:
    with ResultWriter(tmp_path / "out", catalog, Z_GRID, PROVENANCE) as writer:
        tile = catalog.read_tile(0)
        n = tile.n_galaxies
        pdf = np.ones((n, 301), np.float32)
        writer.write_tile(tile, {"z_mode": np.zeros(n)}, pdf)

        with pytest.raises(ResultError):
            writer.write_tile(tile, {"z_mode": np.zeros(n), "odds": np.zeros(n)}, pdf)
        with pytest.raises(ShapeMismatchError):
            writer.write_tile(tile, {"z_mode": np.zeros(n)}, pdf[:, :9])
