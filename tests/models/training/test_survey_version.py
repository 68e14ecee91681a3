"""A survey trains a version of its own that is judged by labels it has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from plain_world import ONE_WAY, make_tile
from surveys import SMALLER

from hbmlc_models.base_models import list_versions, load_version, read_version, write_version
from hbmlc_models.pipeline import CalibrationOptions
from hbmlc_models.tile import Tile
from hbmlc_models.training import (
    TooFewLabelsError,
    TrainedVersion,
    VersionOrder,
    merge_surveys,
    train_survey_version,
)
from hbmlc_models.training.survey_version import split_for_judgement

SHIPPED = load_version("lsst-ugrizy", dict(list_versions())["lsst-ugrizy"])
ORDER = VersionOrder(
    name="mine",
    version=1,
    options=CalibrationOptions(train_steps=30, meta_steps=2),
    catalog_digests=("ab" * 32, "cd" * 32),
    seed=3,
)


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SMALLER, **ONE_WAY}.items():
            patch.setattr(name, value)
        yield


@pytest.fixture(scope="module")
def trained() -> TrainedVersion:
    return train_survey_version(make_tile(), SHIPPED, ORDER)


def test_a_survey_unlike_the_simulator_beats_the_shipped_version(trained: TrainedVersion) -> None:
    new, current = trained.metrics["new"], trained.metrics["current"]

    assert new["weighted_cde_loss"] < current["weighted_cde_loss"]
    assert new["nmad"] < current["nmad"]
    assert trained.verdict.is_better, trained.verdict.reason
    assert trained.verdict.compared_with == f"lsst-ugrizy:{SHIPPED.version}"


def test_the_version_is_whole_and_named_by_its_digest(trained: TrainedVersion) -> None:
    version = trained.version

    back = read_version(write_version(version))

    assert (back.name, back.version, back.bands) == ("mine", 1, tuple("ugrizy"))
    assert back.digest == version.digest
    assert back.network is not None
    assert back.population is not None
    assert back.population.weights.sum() == pytest.approx(1, abs=1e-5)


def test_the_card_tells_where_it_comes_from_and_how_it_fared(trained: TrainedVersion) -> None:
    card = trained.version.card

    assert card["training_data"]["catalog_digests"] == list(ORDER.catalog_digests)
    assert card["training_data"]["n_labelled"] == make_tile().n_labelled
    assert card["start"]["digest"] == SHIPPED.digest
    assert (card["seed"], card["options"]["train_steps"]) == (3, 30)
    assert card["metrics"]["new"] == trained.metrics["new"]
    assert card["gate"] == trained.verdict.as_dict()
    assert card["licence"]


def test_labels_that_judge_never_teach_and_the_same_ones_teach_the_same(
    trained: TrainedVersion,
) -> None:
    sky = make_tile()
    held = np.isin(sky.row, _rows_of(sky, split_for_judgement(sky).withheld))
    lied = replace(sky, z_spec=np.where(held, 2.5 - sky.z_spec, sky.z_spec))

    other = train_survey_version(lied, SHIPPED, ORDER)

    assert learnt_by(other) == learnt_by(trained)
    assert other.metrics["new"]["nmad"] > 5 * trained.metrics["new"]["nmad"]


def learnt_by(trained: TrainedVersion) -> bytes:
    """Bytes of weights and population: all of a version but its card."""
    return write_version(replace(trained.version, card={}))


def _rows_of(sky: Tile, part: Tile) -> np.ndarray:
    known = {flux.tobytes(): row for flux, row in zip(sky.photometry.flux, sky.row, strict=True)}
    return np.array([known[flux.tobytes()] for flux in part.photometry.flux])


def test_a_galaxy_is_held_out_again_wherever_it_comes_back() -> None:
    sky = make_tile(3_000)
    again = sky.take(np.random.default_rng(0).permutation(sky.n_galaxies))
    again = replace(again, row=np.arange(sky.n_galaxies) + 10_000)

    first, second = split_for_judgement(sky), split_for_judgement(again)

    assert 0.05 < first.withheld.n_galaxies / sky.n_labelled < 0.2
    assert sorted(first.withheld.z_spec) == sorted(second.withheld.z_spec)


def test_optional_columns_that_one_catalogue_lacks_are_left_out() -> None:
    one, other = make_tile(50), make_tile(60, seed=6)
    other = replace(
        other, extras={"ellipticity": other.extras["size"], "size": other.extras["size"]}
    )

    merged = merge_surveys([one, other])

    assert merged.n_galaxies == 110
    assert set(merged.extras) == {"size"}


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(TooFewLabelsError, match="spec-z") as refused:
        train_survey_version(make_tile(150), SHIPPED, ORDER)

    assert refused.value.code == "too-few-labels"
