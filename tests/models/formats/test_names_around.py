"""Names with a survey around them, in two cases, or with a letter more than the band has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from inspected import Table, base, codes, inspect, mags, medians, refusal
from made_up_sky import MADE_UP

from hbmlc_models.formats.recognise.identity import positions_in

SKY = MADE_UP


@pytest.mark.parametrize("name", ["des_{}", "cat.{}", "{}_des", "phot_cat_{}", "{}_hsc_pdr3"])
def test_positions_that_share_what_stands_around_them_are_found(name: str, tmp_path: Path) -> None:
    columns = base() | mags("gri")
    for axis in ("ra", "dec"):
        columns[name.format(axis)] = columns.pop(axis)

    report = inspect(tmp_path, columns)

    assert (report.mapping.ra, report.mapping.dec) == (name.format("ra"), name.format("dec"))


def test_positions_of_their_own_come_before_those_of_a_survey() -> None:
    names = ["gaia_ra", "gaia_dec", "ra", "dec"]

    assert positions_in({name: name for name in names}) == ("ra", "dec")
    assert positions_in({"gaia_ra": "gaia_ra", "des_dec": "des_dec"}) == (None, None)


def test_a_band_in_both_cases_is_there_twice(tmp_path: Path) -> None:
    columns = base() | mags("griz")
    columns |= {"MAG_G": SKY.mag("g") + 2.0, "MAG_ERR_G": 6 * SKY.error("g")}

    report = inspect(tmp_path, columns)

    assert report.bands == ("g", "r", "i", "z")
    assert report.mapping.mag["g"] == "mag_g"
    assert "band-twice" in codes(report)


@pytest.mark.parametrize("name", ["segment_flux_F{}", "roman_flux_F{}", "flux_F{}"])
def test_bands_of_roman_need_no_letter_behind_them(name: str, tmp_path: Path) -> None:
    columns = base()
    for number in ("062", "129", "213"):
        value = name.format(number)
        columns |= {value: SKY.flux("J"), value.replace("flux", "flux_err"): SKY.flux_err("J")}

    report = inspect(tmp_path, columns, {"flux_unit": "nJy"})

    assert report.bands == ("F062", "F129", "F213")


def test_bands_of_roman_may_have_a_letter_before_them(tmp_path: Path) -> None:
    columns: Table = base()
    for band in ("Y106", "J129", "H158", "K213"):
        columns |= {f"mag_{band}": SKY.mag("J"), f"mag_err_{band}": SKY.error("J")}

    assert inspect(tmp_path, columns).bands == ("F106", "F129", "F158", "F213")


@pytest.mark.parametrize("word", [r"\N", "*", "...", "INDEF", "#N/A"])
def test_a_word_for_nothing_is_no_redshift(word: str, tmp_path: Path) -> None:
    is_labelled = np.isfinite(SKY.z_spec)
    columns = base() | mags("gri")
    columns["z_spec"] = np.where(is_labelled, SKY.z_spec.astype(str), word)

    assert inspect(tmp_path, columns).n_labelled == is_labelled.sum()


@pytest.mark.parametrize("power", [-1, -2])
def test_errors_of_magnitudes_that_fall_are_refused(power: int, tmp_path: Path) -> None:
    columns = base() | mags("gri") | {f"mag_err_{b}": SKY.error(b) ** power for b in "gri"}

    error = refusal(tmp_path, columns)

    assert (error.code, error.where) == ("bad-errors", "mag_err_g")
    assert "fall" in error.message


def test_errors_in_millimagnitudes_do_not_fall(tmp_path: Path) -> None:
    columns = base() | mags("gri") | {f"mag_err_{b}": 1e3 * SKY.error(b) for b in "gri"}

    assert medians(inspect(tmp_path, columns))["g"] is not None
