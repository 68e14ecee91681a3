"""Redshifts are labels only where a galaxy was measured: no codes, stars or failures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspected import base, inspect, mags
from made_up_sky import MADE_UP, write_parquet

from hbmlc_models.bands import sort_bands
from hbmlc_models.formats import ingest
from hbmlc_models.formats.labels import judge_labels, largest_visible_redshift

SKY = MADE_UP


@pytest.mark.parametrize("code", [9.9999, 9.99, 99.0, -1.0, -9.0, -99.9, 8.8888, 6.6])
def test_redshifts_that_say_not_measured_are_no_labels(code: float, tmp_path: Path) -> None:
    columns = base() | mags("gri")
    is_coded = np.arange(len(SKY.id)) % 6 == 0
    columns["z_spec"] = np.where(is_coded, code, SKY.z_spec)

    report = inspect(tmp_path, columns)

    assert report.n_labelled == np.sum(np.isfinite(SKY.z_spec) & ~is_coded)
    assert sum(report.labels.n_left_out.values()) == is_coded.sum()
    assert f"{code:g}" in " ".join(report.warnings)


def test_stars_are_no_labels(tmp_path: Path) -> None:
    columns = base() | mags("gri")
    is_star = np.arange(len(SKY.id)) % 6 == 0
    columns["z_spec"] = np.where(is_star, 4e-4, SKY.z_spec)

    report = inspect(tmp_path, columns)

    assert report.labels.n_left_out == {"star": is_star.sum()}


def test_redshifts_beyond_what_the_bands_see_are_no_labels() -> None:
    assert largest_visible_redshift(("g", "r", "i")) == pytest.approx(6.1, abs=0.1)
    assert largest_visible_redshift(("g", "who")) == np.inf
    labels = judged([0.5, 3.0, 9.0], z_visible=6.1)

    assert labels.left_out == {"beyond_bands": 1}


def judged(z: list[float], *, z_visible: float = np.inf, **given: object) -> object:
    defaults = {"is_sure": None, "z_err": None, "selected": None}
    return judge_labels(np.array(z), z_max=15.0, z_visible=z_visible, **(defaults | given))


def test_an_error_that_says_failed_makes_no_label(tmp_path: Path) -> None:
    columns = base() | mags("gri") | {"zErr": np.where(np.arange(len(SKY.id)) % 6, 1e-4, -1.0)}

    report = inspect(tmp_path, columns, {"z_spec_err": "zErr"})

    assert report.labels.n_left_out["no_error"] > 0


@given(
    st.lists(st.floats(0.01, 2.5), min_size=5, max_size=60, unique=True),
    st.floats(5.0, 14.0),
    st.integers(3, 20),
)
@settings(max_examples=100, deadline=None)
def test_a_value_that_is_repeated_at_the_far_end_is_a_code(
    z: list[float], code: float, n: int
) -> None:
    labels = judged([*z, *[code] * n])

    assert np.isfinite(labels.z_spec).sum() == len(z)
    assert labels.left_out == {"sentinel": n}


@given(st.lists(st.floats(0.01, 6.5), min_size=1, max_size=80, unique=True))
@settings(max_examples=100, deadline=None)
def test_distinct_redshifts_are_labels_however_large(z: list[float]) -> None:
    assert np.isfinite(judged(z).z_spec).all()


def test_labels_that_say_not_measured_change_nothing_of_the_catalogue(tmp_path: Path) -> None:
    is_coded = np.arange(len(SKY.id)) % 4 == 0
    without = np.where(is_coded, np.nan, SKY.z_spec)
    coded = np.where(is_coded & np.isfinite(SKY.z_spec), 9.9999, without)

    digests = {
        ingest(
            write_parquet(tmp_path / "upload.parquet", base() | mags("griz") | {"z_spec": z}),
            tmp_path / "canonical.parquet",
        ).digest
        for z in (without, coded)
    }

    # The same bytes are calibrated: a quarter of 9.9999 does no harm at all.
    assert len(digests) == 1


@pytest.mark.parametrize("code", [6.999, 6.5])
def test_a_code_within_reach_of_the_labels_is_found_by_its_number(code: float) -> None:
    z = np.random.default_rng(1).uniform(3, 6, 20).tolist()

    assert judged([*z, *[code] * 20]).left_out == {"sentinel": 20}


def test_a_stray_value_above_a_code_does_not_hide_it() -> None:
    z = np.random.default_rng(1).uniform(0.1, 1.2, 60).tolist()

    assert judged([*z, *[6.666] * 20, 7.7]).left_out == {"sentinel": 20}


def test_redshifts_of_two_digits_are_labels() -> None:
    z = np.round(np.random.default_rng(1).uniform(0.1, 0.6, 2_000), 2).tolist()

    assert not judged(z).left_out


def test_a_cluster_at_the_far_end_is_no_code() -> None:
    field = np.round(np.random.default_rng(1).uniform(0.1, 0.9, 100), 3).tolist()

    assert not judged([*field, *[1.46] * 25]).left_out
    assert not judged([*field[:40], *[3.09] * 4]).left_out


def test_bands_of_webb_see_far_galaxies() -> None:
    assert largest_visible_redshift(("F115W", "F444W")) > 15
    assert sort_bands(["F444W", "F115W", "F277W", "F606W"]) == ("F606W", "F115W", "F277W", "F444W")
