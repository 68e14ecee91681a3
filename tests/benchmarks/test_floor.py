"""The information floor is measured on galaxies that no calibration was shown."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.floor import FAIR, MOST, OWN, draw_label_sets, floor_table
from hypothesis import given
from hypothesis import strategies as st

N = 1_000


@given(seed=st.integers(0, 1_000), n_labelled=st.integers(0, 300))
def test_judged_galaxies_have_no_label_in_any_case(seed: int, n_labelled: int) -> None:
    own = np.random.default_rng(seed).permutation(N) < n_labelled

    sets = draw_label_sets(own, seed=seed)

    for is_labelled in sets.is_labelled.values():
        assert not (is_labelled & sets.is_judged).any()
    assert sets.is_judged.sum() == pytest.approx(0.2 * (N - n_labelled), abs=1)


def test_fair_labels_are_as_many_and_the_truth_adds_to_the_labels_there_are() -> None:
    own = np.arange(N) < 150

    sets = draw_label_sets(own, seed=0).is_labelled

    assert sets[OWN] is own
    assert sets[FAIR].sum() == 150
    assert not (sets[FAIR] & own).any()
    assert sets[MOST][own].all()
    assert sets[MOST].sum() == 150 + 4 * (N - 150) // 5


def test_table_leaves_out_what_a_method_does_not_answer() -> None:
    points: dict[str, str | float] = {
        "examination": "sky",
        "method": "XGBoost",
        "labels": OWN,
        "nmad": 0.05,
        "outlier_fraction": 0.1,
        "bias_mean": -0.01,
    }

    line = floor_table([points], n_seeds=1).splitlines()[-1]

    assert line == "| sky | XGBoost | its own | 0.0500 | 10.0% | -0.010 |  |  |  |"
