"""How answers become a verdict."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from benchmarks.accuracy_table import accuracy_table
from benchmarks.answers import Answer
from benchmarks.groups import fifths, galaxy_groups
from benchmarks.judgement import Judgement, judge

from hbmlc_models.evaluate import Sky
from hbmlc_models.photometry import Photometry
from hbmlc_models.tile import Tile

N = 1200
Z_GRID = np.linspace(0.0, 3.0, 301)


def make_sky() -> Sky:
    """Galaxies of i = 20 to 24; every fourth has a label."""
    rng = np.random.default_rng(5)
    z_true = rng.uniform(0.1, 1.5, N)
    flux = np.repeat(10 ** (-0.4 * rng.uniform(20, 24, (N, 1))), 2, axis=1)
    selected = np.arange(N) % 4 == 0
    tile = Tile(
        name="t",
        index=0,
        row=np.arange(N),
        photometry=Photometry(
            bands=("r", "i"),
            flux=flux,
            flux_err=0.05 * flux,
            is_detected=np.ones((N, 2), dtype=bool),
        ),
        z_spec=np.where(selected, z_true, np.nan),
        selected=selected,
    )
    return Sky(tile=tile, ids=pa.array([str(k) for k in range(N)]), z_true=z_true)


def make_answer(sky: Sky, *, ours: float, trees: float, seed: int = 0) -> Answer:
    """Answers whose scaled errors have the given scatter; p(z) is as wide as hbmlc's errors."""
    rng = np.random.default_rng(seed)
    z_true = sky.z_true[~sky.tile.is_labelled]
    noise = rng.standard_normal((2, len(z_true))) * (1 + z_true)
    z_phot = z_true + ours * noise[0]
    sigma = ours * (1 + z_true[:, None])
    pdf = np.exp(-0.5 * ((Z_GRID - z_phot[:, None]) / sigma) ** 2)
    return Answer(
        seconds=1.0,
        z_phot={"xgboost": z_true + trees * noise[1], "hbmlc": z_phot},
        pdf=pdf / (pdf.sum(axis=1, keepdims=True) * 0.01),
        z_grid=Z_GRID,
        p_selected=rng.random(len(z_true)),
    )


def judgement(*, ours: float, trees: float, seeds: int = 1) -> Judgement:
    sky = make_sky()
    answers = {s: make_answer(sky, ours=ours, trees=trees, seed=s) for s in range(seeds)}
    return judge("sky", sky, answers, n_resamples=50)


def test_fifths_share_out_every_galaxy_in_order() -> None:
    values = np.random.default_rng(0).random(1003)

    members = fifths(values)

    assert np.array_equal(np.sum(members, axis=0), np.ones(1003))
    assert {int(group.sum()) for group in members} == {200, 201}
    assert values[members[0]].max() <= values[members[1]].min()


def test_groups_that_are_too_small_are_left_out() -> None:
    sky = make_sky()

    groups = galaxy_groups(sky.tile.photometry, sky.z_true, sky.z_true)

    assert "20 < i < 21" in groups
    assert "z > 1.5" not in groups


def test_a_better_method_is_never_worse() -> None:
    found = judgement(ours=0.02, trees=0.06)

    assert found.worse_in == []
    assert found.worse_groups == []
    assert found.ratios["hbmlc"]["xgboost"]["nmad"].high < 0.5
    assert "yes (0 of" in accuracy_table([found])


def test_a_worse_method_is_told_so() -> None:
    found = judgement(ours=0.1, trees=0.05)

    assert found.worse_in == ["nmad", "outlier_fraction"]
    assert found.ratios["hbmlc"]["xgboost"]["nmad"].low > 1
    assert "**no**: NMAD, outliers" in accuracy_table([found])


def test_honest_densities_are_calibrated_in_every_fifth() -> None:
    density = judgement(ours=0.03, trees=0.06).density

    # 180 galaxies a fifth: a distance of 1.63 / sqrt(180) has a chance of one in a hundred.
    assert all(density[f"pit_ks_fifth_{k}"].mean < 0.15 for k in range(1, 6))


def test_seeds_have_a_mean_and_a_scatter() -> None:
    found = judgement(ours=0.03, trees=0.06, seeds=3)

    nmad = found.scores["all"]["hbmlc"]["nmad"]
    assert 0 < nmad.scatter < 0.2 * nmad.mean
    assert " ± " in accuracy_table([found])
