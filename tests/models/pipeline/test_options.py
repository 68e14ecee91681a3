"""Options are refused with the name of what is wrong; units cover every tile once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbmlc_models.metalearning.network import Head
from hbmlc_models.pipeline import (
    AnchorRule,
    BetaRule,
    CalibrationOptions,
    OptionError,
    Preset,
    plan_units,
    redshift_grid,
)


def test_nothing_given_means_the_defaults() -> None:
    assert CalibrationOptions.from_dict({}) == CalibrationOptions()


def test_options_survive_json() -> None:
    options = CalibrationOptions(
        preset=Preset.SEED, anchors=AnchorRule.TOP, head=Head.MSE, z_max=1.5, draws=100
    )

    text = json.dumps(options.as_dict())

    assert CalibrationOptions.from_dict(json.loads(text)) == options


@pytest.mark.parametrize("name", ["beta_mean", "beta_scale"])
def test_prior_of_beta_that_a_caller_gives_is_taken_as_it_is(name: str) -> None:
    assert CalibrationOptions.from_dict({name: 0.5}).beta_rule is BetaRule.FIXED
    assert CalibrationOptions.from_dict({"draws": 100}).beta_rule is BetaRule.EVIDENCE


def test_rule_of_beta_may_be_asked_for_with_numbers_of_ones_own() -> None:
    asked = {"beta_mean": -2.0, "beta_rule": "evidence"}

    assert CalibrationOptions.from_dict(asked).beta_rule is BetaRule.EVIDENCE


def test_whole_numbers_may_come_as_either_kind() -> None:
    found = CalibrationOptions.from_dict({"z_max": 2, "draws": 100.0})

    assert isinstance(found.z_max, float)
    assert isinstance(found.draws, int)


def test_unknown_option_is_named_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match=r"'zmax'.*'z_max'"):
        CalibrationOptions.from_dict({"zmax": 3})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("draws", "many"),
        ("draws", "100"),
        ("draws", True),
        ("draws", None),
        ("draws", [100]),
        ("draws", 100.5),
        ("draws", float("inf")),
        ("draws", float("nan")),
        ("z_max", "3"),
        ("z_max", {}),
        ("preset", "best"),
        ("preset", 1),
        ("anchors", ""),
        ("head", None),
    ],
)
def test_option_of_the_wrong_kind_is_named(name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=name):
        CalibrationOptions.from_dict({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_anchors", -1),
        ("n_anchors", 51),
        ("z_max", 0.0),
        ("z_max", float("nan")),
        ("z_max", float("inf")),
        ("n_grid", 10),
        ("beta_mean", 11),
        ("beta_mean", float("nan")),
        ("beta_scale", 0),
        ("draws", 10),
        ("tune", 0),
        ("chains", 0),
        ("chains", 9),
        ("inner_steps", 4),
        ("train_steps", -1),
        ("meta_steps", -1),
        ("min_tile_galaxies", 0),
    ],
)
def test_option_out_of_range_is_named(name: str, value: float) -> None:
    with pytest.raises(OptionError, match=name):
        CalibrationOptions.from_dict({name: value})


def test_redshift_grid_is_the_wanted_one() -> None:
    grid = redshift_grid(CalibrationOptions(z_max=2.0, n_grid=201))

    np.testing.assert_allclose(grid, 0.01 * np.arange(201))


@dataclass(frozen=True, slots=True)
class Entry:
    index: int
    n_galaxies: int


@given(
    sizes=st.lists(st.integers(0, 2000), max_size=30),
    least=st.integers(1, 1500),
)
def test_units_cover_every_tile_once_and_in_order(sizes: list[int], least: int) -> None:
    entries = [Entry(index, size) for index, size in enumerate(sizes)]

    units = plan_units(entries, CalibrationOptions(min_tile_galaxies=least))

    assert [index for unit in units for index in unit] == list(range(len(sizes)))
    assert all(units)
    # Only the last unit may be smaller; none is larger than it has to be.
    for unit in units[:-1]:
        assert sum(sizes[index] for index in unit) >= least
    for unit in units:
        assert sum(sizes[index] for index in unit[:-1]) < least
