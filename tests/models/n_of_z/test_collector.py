"""From tiles to the distributions of a catalogue, and their file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import qp
from skies import CELLS, Z_GRID, Sky, make_sky

from hbmlc_models.formats.results import write_n_of_z
from hbmlc_models.formats.spool import Spool
from hbmlc_models.n_of_z import NOfZ, NOfZCollector, TileEvidence, datasets


def collect(
    path: Path, parts: list[TileEvidence], *, tilt_std: float = 0.1, beta_scale: float = 0.5
) -> NOfZ:
    with Spool(path) as spool:
        collector = NOfZCollector(spool, Z_GRID, beta_scale=beta_scale)
        for k, evidence in enumerate(parts):
            collector.add(f"t{k}", evidence, tilt_std=tilt_std)
        return collector.finish()


def split(evidence: TileEvidence, n: int) -> list[TileEvidence]:
    rows = np.array_split(np.arange(len(evidence.z_phot)), n)
    return [
        TileEvidence(**{name: values[part] for name, values in evidence.arrays().items()})
        for part in rows
    ]


@pytest.fixture(scope="module")
def sky() -> Sky:
    return make_sky(2400, seed=3)


def test_tiling_does_not_change_the_distributions(tmp_path: Path, sky: Sky) -> None:
    one = collect(tmp_path / "a", [sky.evidence()])
    many = collect(tmp_path / "b", split(sky.evidence(), 3))

    np.testing.assert_allclose(one.density, many.density, atol=1e-9)
    np.testing.assert_allclose(one.sampling, many.sampling, atol=1e-9)
    np.testing.assert_array_equal(one.z_phot_edges, many.z_phot_edges)


def test_distributions_of_tiles_add_up(tmp_path: Path, sky: Sky) -> None:
    found = collect(tmp_path / "a", split(sky.evidence(held_out=np.zeros(2400, bool)), 3))

    counts = np.stack([tile.n_galaxies for tile in found.tiles])
    total = sum(t.n_galaxies[:, None] * t.density for t in found.tiles) / counts.sum(0)[:, None]
    np.testing.assert_allclose(total, found.density[:, 1], rtol=1e-4, atol=1e-6)
    assert counts.sum(axis=0)[0] == (~sky.tile.is_labelled).sum()


def test_truth_is_within_the_errors(tmp_path: Path, sky: Sky) -> None:
    found = collect(tmp_path / "a", split(sky.evidence(), 12))

    unlabelled = ~sky.tile.is_labelled
    sample = np.searchsorted(found.z_phot_edges[1:-1], sky.columns["z_phot"], side="right")
    for k, name in enumerate(found.names):
        inside = unlabelled & ((sample == k - 1) | (k == 0))
        truth = sky.z_true[inside].mean()
        own = sky.z_true[inside].std() / inside.sum() ** 0.5
        mean = found.estimate.mean_z(CELLS)[k, 1]
        assert abs(mean - truth) < 3.5 * np.hypot(found.mean_z_std[k], own), name
    assert found.n_patches == 12


def test_few_tiles_are_owed_the_uncertainty_of_their_tilt(tmp_path: Path, sky: Sky) -> None:
    sure, unsure = (
        collect(tmp_path / f"{std}", [sky.evidence()], tilt_std=std) for std in (0.0, 0.5)
    )

    assert np.all(unsure.mean_z_std > sure.mean_z_std)
    assert sure.n_patches == 0
    # A tilt known as badly as β adds as much as β does.
    added = unsure.sampling - sure.sampling
    np.testing.assert_allclose(added, sure.beta_covariance, atol=1e-9)


def test_tile_without_unlabelled_galaxies_has_no_mean(tmp_path: Path) -> None:
    sky = make_sky(60)
    labelled = np.flatnonzero(sky.tile.is_labelled)
    evidence = split(sky.evidence(), 1)[0]
    only = TileEvidence(**{name: v[labelled] for name, v in evidence.arrays().items()})

    found = collect(tmp_path / "a", [only, evidence])

    assert np.isnan(found.tiles[0].columns()["nz_mean"])
    assert np.isfinite(found.tiles[1].columns()["nz_mean"])
    assert np.isfinite(found.density).all()


def test_qp_reads_the_file(tmp_path: Path, sky: Sky) -> None:
    found = collect(tmp_path / "a", split(sky.evidence(), 2))

    write_n_of_z(tmp_path / "nz.hdf5", datasets(found))

    ensemble = qp.read(str(tmp_path / "nz.hdf5"))
    assert ensemble.ancil["sample"].tolist() == ["all", *(f"bin_{k}" for k in range(1, 6))]
    np.testing.assert_allclose(ensemble.pdf(CELLS.centres), found.density[:, 1], atol=1e-9)
    np.testing.assert_allclose(ensemble.ancil["mean_z"], ensemble.mean().ravel(), atol=1e-6)
    assert ensemble.ancil["n_galaxies"][0] == ensemble.ancil["n_galaxies"][1:].sum()


def test_file_holds_the_covariance_and_the_band(tmp_path: Path, sky: Sky) -> None:
    found = collect(tmp_path / "a", split(sky.evidence(), 2))
    values = datasets(found)

    total = values["covariance/total"].reshape(360, 360)
    np.testing.assert_allclose(total, total.T, atol=1e-12)
    assert np.linalg.eigvalsh(total).min() > -1e-9 * np.linalg.eigvalsh(total).max()
    np.testing.assert_allclose(np.sqrt(np.diag(total)).reshape(6, 60), values["estimate/std"])
    assert values["tiles/density"].shape == (2, 6, 60)
    half = 0.5 * (values["estimate/beta_high"] - values["estimate/beta_low"])
    beta = np.einsum("sksk->sk", values["covariance/beta"])
    np.testing.assert_allclose(np.abs(half), np.sqrt(beta), atol=1e-9)


def test_same_tiles_give_the_same_bytes(tmp_path: Path, sky: Sky) -> None:
    for name in ("a", "b"):
        found = collect(tmp_path / f"spool-{name}", split(sky.evidence(), 2))
        write_n_of_z(tmp_path / name, datasets(found))

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
