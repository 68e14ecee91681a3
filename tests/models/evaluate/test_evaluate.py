"""What ``hbmlc score`` says of a result whose errors are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner
from uploads import WRITERS, write_csv, write_parquet

from hbmlc_models import metrics
from hbmlc_models.evaluate import ExaminationError, boosted_trees, compare, read_examination
from hbmlc_models.evaluate.baseline import tree_features
from hbmlc_models.evaluate.command import score

N = 400
BANDS = "ugrizy"


def make_sky(seed: int = 3) -> dict[str, Any]:
    """Galaxies whose colours tell their redshift, a third of them labelled, ids in no order."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.1, 1.5, N)
    columns: dict[str, Any] = {"id": rng.permutation(N) + 1000, "tile": np.arange(N) % 4}
    for k, band in enumerate(BANDS):
        columns[f"mag_{band}"] = 24.5 - 0.4 * k * z + rng.normal(0, 0.3) + rng.normal(0, 0.02, N)
        columns[f"mag_err_{band}"] = np.full(N, 0.02)
    columns["z_spec"] = np.where(np.arange(N) % 3 == 0, z, np.nan)
    return {**columns, "z_true": z}


@pytest.fixture
def sky() -> dict[str, Any]:
    return make_sky()


def write_sky(
    folder: Path, sky: dict[str, Any], z_phot: np.ndarray, *, file_format: str = "parquet"
) -> tuple[Path, Path, Path]:
    """Result, catalogue and truth; the truth is in another order than the catalogue."""
    catalog, truth = folder / f"catalog.{file_format}", folder / "truth.csv"
    WRITERS[file_format](catalog, {k: v for k, v in sky.items() if k != "z_true"})
    order = np.argsort(sky["id"])
    write_csv(truth, {"id": sky["id"][order], "z_true": sky["z_true"][order]})
    result = folder / "photoz.parquet"
    write_parquet(result, {"id": sky["id"], "z_phot": z_phot.astype(np.float32)})
    return result, catalog, truth


def off_by(sky: dict[str, Any], scaled: float) -> np.ndarray:
    return sky["z_true"] + scaled * (1 + sky["z_true"])


def test_scores_are_those_of_the_galaxies_without_a_label(
    tmp_path: Path, sky: dict[str, Any]
) -> None:
    unlabelled = np.isnan(sky["z_spec"])
    # Wrong by a lot where there is a label: none of that may count.
    z_phot = np.where(unlabelled, off_by(sky, 0.02), off_by(sky, 3.0))
    result, catalog, truth = write_sky(tmp_path, sky, z_phot)

    found = compare(read_examination(result, catalog=catalog, truth=truth))

    everything = found.groups[0]
    assert (found.n_labelled, found.n_examined) == (N - unlabelled.sum(), unlabelled.sum())
    assert everything.n_galaxies == unlabelled.sum()
    scores = everything.scores["hbmlc"]
    expected = metrics.nmad(z_phot[unlabelled], sky["z_true"][unlabelled])
    assert scores["nmad"] == pytest.approx(expected, rel=1e-4)
    assert scores["nmad"] == pytest.approx(1.48 * 0.02, rel=1e-4)
    error = z_phot[unlabelled] - sky["z_true"][unlabelled]
    assert scores["bias_mean"] == pytest.approx(error.mean(), rel=1e-4)
    assert scores["bias_median"] == pytest.approx(0.02, rel=1e-4)
    assert scores["outlier_fraction"] == 0.0


def test_groups_of_brightness_share_out_the_examined_galaxies(
    tmp_path: Path, sky: dict[str, Any]
) -> None:
    result, catalog, truth = write_sky(tmp_path, sky, off_by(sky, 0.2))

    first, *groups = compare(read_examination(result, catalog=catalog, truth=truth)).groups

    assert sum(group.n_galaxies for group in groups) <= first.n_galaxies
    assert all(group.scores["hbmlc"]["outlier_fraction"] == 1.0 for group in groups)


@pytest.mark.parametrize("file_format", sorted(WRITERS))
def test_catalogues_of_every_format_are_read(
    tmp_path: Path, sky: dict[str, Any], file_format: str
) -> None:
    paths = write_sky(tmp_path, sky, off_by(sky, 0.0), file_format=file_format)
    result, catalog, truth = paths

    examination = read_examination(result, catalog=catalog, truth=truth)

    np.testing.assert_allclose(examination.z_phot, examination.z_true, rtol=1e-6)
    is_labelled = examination.tile.is_labelled
    np.testing.assert_allclose(
        examination.tile.z_spec[is_labelled], examination.z_true[is_labelled], rtol=1e-6
    )


def test_a_result_that_lacks_galaxies_is_refused(tmp_path: Path, sky: dict[str, Any]) -> None:
    result, catalog, truth = write_sky(tmp_path, sky, off_by(sky, 0.0))
    pq.write_table(pq.read_table(result).slice(5), result)

    with pytest.raises(ExaminationError, match="lacks 5 of 400"):
        read_examination(result, catalog=catalog, truth=truth)


def test_a_truth_of_another_sky_is_refused(tmp_path: Path, sky: dict[str, Any]) -> None:
    result, catalog, truth = write_sky(tmp_path, sky, off_by(sky, 0.0))
    pq.write_table(pa.table({"id": ["a", "b"], "z_true": [0.1, 0.2]}), truth)

    with pytest.raises(ExaminationError, match="knows no galaxy"):
        read_examination(result, catalog=catalog, truth=truth)


def test_a_missing_column_is_named(tmp_path: Path, sky: dict[str, Any]) -> None:
    result, catalog, truth = write_sky(tmp_path, sky, off_by(sky, 0.0))
    write_csv(truth, {"id": sky["id"], "redshift": sky["z_true"]})

    with pytest.raises(ExaminationError, match="no column z_true"):
        read_examination(result, catalog=catalog, truth=truth)


def test_boosted_trees_learn_colours_and_repeat_themselves(
    tmp_path: Path, sky: dict[str, Any]
) -> None:
    result, catalog, truth = write_sky(tmp_path, sky, off_by(sky, 0.0))
    examination = read_examination(result, catalog=catalog, truth=truth)

    first, second = (boosted_trees(examination.tile, seed=1) for _ in range(2))

    np.testing.assert_array_equal(first, second)
    assert metrics.nmad(first, examination.z_true) < 0.05


def test_tree_features_keep_unobserved_bands_apart(tmp_path: Path, sky: dict[str, Any]) -> None:
    sky["mag_u"][1:] = np.nan
    result, catalog, truth = write_sky(tmp_path, sky, off_by(sky, 0.0))
    photometry = read_examination(result, catalog=catalog, truth=truth).tile.photometry

    features = tree_features(photometry)

    assert features.shape == (N, 3 * len(BANDS) - 1)
    assert np.isnan(features[:, 0]).sum() == N - 1
    assert np.isfinite(features[:, 1 : len(BANDS)]).all()


def run_score(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(score)
    return CliRunner().invoke(app, arguments)


def test_the_command_takes_the_directory_of_results_and_speaks_json(
    tmp_path: Path, sky: dict[str, Any]
) -> None:
    _, catalog, truth = write_sky(tmp_path, sky, off_by(sky, 0.02))

    ended = run_score(str(tmp_path), "--catalog", str(catalog), "--truth", str(truth), "--json")

    document = json.loads(ended.stdout)
    assert ended.exit_code == 0
    assert document["groups"][0]["scores"]["hbmlc"]["nmad"] == pytest.approx(0.0296, rel=1e-3)
    assert set(document["groups"][0]["scores"]) == {"hbmlc", "xgboost"}


def test_the_table_names_both_methods(tmp_path: Path, sky: dict[str, Any]) -> None:
    result, catalog, truth = write_sky(tmp_path, sky, off_by(sky, 0.02))

    ended = run_score(str(result), "--catalog", str(catalog), "--truth", str(truth))

    assert "XGBoost" in ended.stdout
    assert "0.0296" in ended.stdout


def test_the_command_says_what_is_wrong(tmp_path: Path, sky: dict[str, Any]) -> None:
    result, catalog, truth = write_sky(tmp_path, sky, off_by(sky, 0.02))
    catalog.write_bytes(b"")

    ended = run_score(str(result), "--catalog", str(catalog), "--truth", str(truth))

    assert ended.exit_code == 1
    assert "empty" in ended.stderr
