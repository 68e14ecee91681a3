"""Numbers are believed only where a survey can have them: units, errors and redshifts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inspected import Table, base, codes, inspect, mags, medians, refusal
from made_up_sky import MADE_UP

from hbmlc_models.formats import CatalogError
from hbmlc_models.formats.units import degrees_per, flux_unit, is_per_wavelength, is_vega, mag_per

SKY = MADE_UP
UNITS = {"nJy": 31.4, "uJy": 23.9, "nanomaggy": 22.5, "mJy": 16.4, "Jy": 8.9, "maggy": 0.0}


def fluxes(bands: str, zero_point: float, *, ivar: bool = False) -> Table:
    found: Table = {}
    for band in bands:
        error = SKY.flux_err(band, zero_point=zero_point)
        found[f"flux_{band}"] = SKY.flux(band, zero_point=zero_point)
        found[f"flux_err_{band}"] = error**-2 if ivar else error
    return found


@pytest.mark.parametrize(
    ("text", "zero_point"),
    [
        ("nJy", 31.4), ("uJy", 23.9), ("µJy", 23.9), ("μJy", 23.9), ("microJansky", 23.9),
        ("mJy", 16.4), ("Jy", 8.9), ("10^-6 Jy", 23.9), ("10**-6 Jy", 23.9), ("1e-6 Jy", 23.9),
        ("10-6Jy", 23.9), ("erg / (s cm2 Hz)", -48.6), ("erg/s/cm^2/Hz", -48.6),
        ("erg Hz-1 s-1 cm-2", -48.6), ("1e-29 erg/s/cm2/Hz", 23.9), ("W/m2/Hz", -56.1),
        ("nanomaggy", 22.5), ("nanomaggies", 22.5), ("nmgy", 22.5), ("nMgy", 22.5),
        ("3.631 uJy", 22.5), ("3.631e-6 Jy", 22.5), ("maggy", 0.0), ("[uJy]", 23.9),
    ],
)  # fmt: skip
def test_units_of_flux_density_are_understood(text: str, zero_point: float) -> None:
    unit = flux_unit(text)

    assert unit is not None
    assert -2.5 * np.log10(unit.maggies) == pytest.approx(zero_point, abs=0.005)


@pytest.mark.parametrize("text", ["ct", "adu", "mag", "electron/s", "Jy/beam", "", "--", "deg"])
def test_other_units_are_no_flux_density(text: str) -> None:
    assert flux_unit(text) is None


def test_units_of_magnitudes_and_angles_are_understood() -> None:
    assert [mag_per(text) for text in ("mag", "mmag", "mag(AB)", "ABmag", "Jy")] == [
        1.0, 1e-3, 1.0, 1.0, None,
    ]  # fmt: skip
    assert is_vega("mag(Vega)")
    assert is_per_wavelength("erg/s/cm2/AA")
    assert degrees_per("rad") == pytest.approx(180 / np.pi)
    assert degrees_per("hourangle") == 15.0


@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_of_the_file_is_used(unit: str, tmp_path: Path) -> None:
    columns = fluxes("gri", UNITS[unit])

    report = inspect(tmp_path, base() | columns, units=dict.fromkeys(columns, unit))

    assert {band.unit_from.value for band in report.photometry} == {"file"}
    assert medians(report)["r"] == pytest.approx(np.median(SKY.mag("r")), abs=0.01)


def test_each_column_has_its_own_unit(tmp_path: Path) -> None:
    columns = fluxes("gr", 23.9) | fluxes("i", 16.4)
    units = {name: "mJy" if name.endswith("_i") else "uJy" for name in columns}

    report = inspect(tmp_path, base() | columns, units=units)

    for band in "gri":
        assert medians(report)[band] == pytest.approx(np.median(SKY.mag(band)), abs=0.01)
    assert report.mapping.flux_unit == {"g": "uJy", "r": "uJy", "i": "mJy"}


def test_errors_may_have_another_unit_than_their_values(tmp_path: Path) -> None:
    columns = base() | mags("gri")
    columns |= {f"mag_err_{b}": SKY.error(b) * 1e3 for b in "gri"}

    report = inspect(tmp_path, columns, units={f"mag_err_{b}": "mmag" for b in "gri"})

    assert report.photometry[0].snr_p50 == pytest.approx(
        np.median(1.0857 / SKY.error("g")), rel=0.01
    )


@pytest.mark.parametrize("unit", ["nJy", "uJy", "nanomaggy"])
def test_without_a_unit_the_assumption_is_told_with_its_alternatives(
    unit: str, tmp_path: Path
) -> None:
    report = inspect(tmp_path, base() | fluxes("gri", UNITS[unit]))

    (finding,) = [f for f in report.findings if f.code in {"unit-assumed", "unit-deduced"}]
    assert "nJy" in finding.message
    assert "nanomaggy" in finding.message
    assert report.photometry[0].unit_from.value == "assumed"
    # A survey has these magnitudes, whichever unit was meant.
    assert 18 < (medians(report)["r"] or 0) < 27


def test_microjansky_are_not_read_as_nanojansky(tmp_path: Path) -> None:
    report = inspect(tmp_path, base() | fluxes("gri", 23.9))

    assert report.mapping.flux_unit == "uJy"


@pytest.mark.parametrize("zero_point", [31.4, 23.9, 22.5, 25.0, 27.5])
def test_magnitudes_of_the_same_bands_tell_the_unit(zero_point: float, tmp_path: Path) -> None:
    report = inspect(tmp_path, base() | fluxes("gri", zero_point) | mags("gri"))

    assert medians(report)["r"] == pytest.approx(np.median(SKY.mag("r")), abs=0.05)


def test_magnitudes_that_disagree_with_fluxes_are_told(tmp_path: Path) -> None:
    columns = fluxes("gri", 23.9)

    report = inspect(
        tmp_path, base() | columns | mags("gri"), units=dict.fromkeys(columns, "nanomaggy")
    )

    (finding, *_) = [f for f in report.findings if f.code == "photometry-disagrees"]
    assert "1.4" in finding.message


def test_the_mapping_wins_over_the_file_and_a_finding_says_so(tmp_path: Path) -> None:
    columns = fluxes("gri", 23.9)

    report = inspect(
        tmp_path,
        base() | columns,
        {"flux_unit": "uJy"},
        units=dict.fromkeys(columns, "nanomaggy"),
    )

    assert "unit-overridden" in codes(report)
    assert report.photometry[0].unit_from.value == "mapping"
    assert medians(report)["r"] == pytest.approx(np.median(SKY.mag("r")), abs=0.01)


def test_a_mapping_that_no_survey_can_have_gives_way_to_the_file(tmp_path: Path) -> None:
    columns = fluxes("gri", 16.4)

    report = inspect(
        tmp_path, base() | columns, {"flux_unit": "nJy"}, units=dict.fromkeys(columns, "mJy")
    )

    assert "unit-overridden" in codes(report)
    assert medians(report)["r"] == pytest.approx(np.median(SKY.mag("r")), abs=0.01)


def test_zero_points_and_offsets_make_magnitudes_ab(tmp_path: Path) -> None:
    columns = base() | fluxes("gr", 25.0) | mags("J")
    columns["mag_J"] = SKY.mag("J") - 0.91
    mapping = {
        "flux": {"g": "flux_g", "r": "flux_r"},
        "mag": {"J": "mag_J"},
        "zero_point": {"g": 25.0, "r": 25.0},
        "mag_offset": {"J": 0.91},
    }

    report = inspect(tmp_path, columns, mapping)

    for band in "grJ":
        assert medians(report)[band] == pytest.approx(np.median(SKY.mag(band)), abs=0.01)


def test_vega_magnitudes_are_named_with_their_offsets(tmp_path: Path) -> None:
    columns = base() | mags("gri") | mags("JK", "{}mag", "e_{}mag")

    report = inspect(tmp_path, columns)

    (finding,) = [f for f in report.findings if f.code == "vega-magnitudes"]
    assert finding.mapping == {"mag_offset": {"J": 0.91, "K": 1.85}}
    again = inspect(tmp_path, columns, finding.mapping)
    assert "vega-magnitudes" not in codes(again)
    assert medians(again)["J"] == pytest.approx((medians(report)["J"] or 0) + 0.91, abs=1e-3)


def test_flux_per_wavelength_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="per wavelength"):
        inspect(tmp_path, base() | fluxes("g", 23.9), units={"flux_g": "erg/s/cm2/AA"})


@pytest.mark.parametrize("zero_point", [31.4, 23.9, 22.5])
def test_inverse_variances_called_errors_are_refused(zero_point: float, tmp_path: Path) -> None:
    error = refusal(tmp_path, base() | fluxes("gri", zero_point, ivar=True))

    assert error.code == "bad-errors"
    assert "inverse" in error.message
    assert error.mapping == {"flux_ivar": {"g": "flux_err_g"}}


def test_inverse_variances_mapped_as_such_are_errors(tmp_path: Path) -> None:
    mapping = {
        "flux": {"g": "flux_g"},
        "flux_ivar": {"g": "flux_err_g"},
        "flux_unit": "nanomaggy",
    }

    report = inspect(tmp_path, base() | fluxes("g", 22.5, ivar=True), mapping)

    assert report.photometry[0].snr_p50 == pytest.approx(
        np.median(1.0857 / SKY.error("g")), rel=0.01
    )


def test_magnitudes_called_errors_are_refused(tmp_path: Path) -> None:
    columns = base() | mags("gri") | {"mag_err_g": SKY.mag("g") + 1.0}

    assert refusal(tmp_path, columns).where == "mag_err_g"


def test_errors_in_millimagnitudes_are_read_as_such(tmp_path: Path) -> None:
    columns = base() | mags("gri") | {f"mag_err_{b}": SKY.error(b) * 1e3 for b in "gri"}

    report = inspect(tmp_path, columns)

    assert "unit-deduced" in codes(report)
    assert 1 < (report.photometry[0].snr_p50 or 0) < 200


def test_constant_errors_are_named(tmp_path: Path) -> None:
    columns = base() | mags("gri") | {"mag_err_r": np.full(len(SKY.id), 0.05)}

    (finding,) = [f for f in inspect(tmp_path, columns).findings if f.code == "errors-constant"]

    assert finding.column == "mag_err_r"


@pytest.mark.parametrize("factor", [1e3, 1e-5])
def test_absurd_signal_to_noise_is_named(factor: float, tmp_path: Path) -> None:
    columns = fluxes("gri", 23.9)
    columns["flux_err_r"] = SKY.flux_err("r", zero_point=23.9) * factor

    report = inspect(tmp_path, base() | columns, units=dict.fromkeys(columns, "uJy"))

    found = [f.column for f in report.findings if f.code == "signal-to-noise-implausible"]
    assert found == ["flux_err_r"]


def test_a_band_far_from_its_neighbours_is_named(tmp_path: Path) -> None:
    columns = base() | mags("griz") | {"mag_i": SKY.mag("i") - 6.5}

    found = [f.column for f in inspect(tmp_path, columns).findings if f.code == "band-far-off"]

    assert found == ["mag_i"]


def test_magnitudes_that_no_survey_has_are_named(tmp_path: Path) -> None:
    columns = fluxes("gri", 31.4)

    report = inspect(tmp_path, base() | columns, {"zero_point": 45.0})

    assert "band-implausible" in codes(report)


@pytest.mark.parametrize("fill", [0.0, -99.0, -9999.0, 1e20])
def test_fill_values_are_no_photometry(fill: float, tmp_path: Path) -> None:
    columns = base() | mags("gri")
    columns["mag_g"] = np.where(np.arange(len(SKY.id)) % 3 == 0, fill, SKY.mag("g"))

    report = inspect(tmp_path, columns)

    g = report.photometry[0]
    assert 15 < (g.mag_min or 0) < (g.mag_max or 99) < 32
    if fill < 90:
        assert g.n_observed == np.sum(np.arange(len(SKY.id)) % 3 != 0)


def test_positions_in_radians_and_hours_become_degrees(tmp_path: Path) -> None:
    columns = base() | mags("gri") | {"ra": SKY.ra / 15, "dec": np.deg2rad(SKY.dec)}

    report = inspect(tmp_path, columns, units={"ra": "hourangle", "dec": "rad"})

    assert report.coverage.ra_min == pytest.approx(SKY.ra.min())
    assert report.coverage.dec_max == pytest.approx(SKY.dec.max())


def test_the_mapping_may_give_the_unit_of_positions(tmp_path: Path) -> None:
    columns = base() | mags("gri") | {"ra": np.deg2rad(SKY.ra), "dec": np.deg2rad(SKY.dec)}

    report = inspect(tmp_path, columns, {"position_unit": "rad"})

    assert report.coverage.ra_min == pytest.approx(SKY.ra.min())


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (lambda flux, error: 31.4 - 2.5 * np.log10(flux), "magnitudes"),
        (lambda flux, error: 27 - 2.5 * np.log10(error / 10), "magnitudes"),
        (lambda flux, error: error / flux, "relative"),
        (lambda flux, error: 1.0857 * error / flux, "relative"),
        (lambda flux, error: error**-2, "inverse"),
    ],
)
@pytest.mark.parametrize("zero_point", [31.4, 22.5])
def test_what_is_no_error_of_a_flux_is_called_by_its_name(
    instead: Any, said: str, zero_point: float, tmp_path: Path
) -> None:
    columns = fluxes("gri", zero_point)
    for band in "gri":
        columns[f"flux_err_{band}"] = instead(
            SKY.flux(band, zero_point=zero_point), SKY.flux_err(band, zero_point=zero_point)
        )

    error = refusal(tmp_path, base() | columns, {"zero_point": zero_point})

    assert error.code == "bad-errors"
    assert said in error.message


def test_a_signal_to_noise_mapped_as_error_is_refused(tmp_path: Path) -> None:
    columns = base() | fluxes("g", 31.4) | {"g_snr": 1.0857 / SKY.error("g")}

    error = refusal(tmp_path, columns, {"flux": {"g": "flux_g"}, "flux_err": {"g": "g_snr"}})

    assert "signal-to-noise" in error.message


def test_errors_that_are_a_fixed_part_of_the_flux_are_named(tmp_path: Path) -> None:
    columns = fluxes("gri", 31.4)
    columns["flux_err_g"] = 0.1 * SKY.flux("g")

    report = inspect(tmp_path, base() | columns)

    assert [f.column for f in report.findings if f.code == "errors-constant"] == ["flux_err_g"]


def test_a_survey_that_is_too_shallow_is_in_another_unit(tmp_path: Path) -> None:
    columns = fluxes("gri", 31.4)

    report = inspect(tmp_path, base() | columns, {"flux_unit": "uJy"})

    assert "band-implausible" in codes(report)


def test_millijansky_without_a_unit_are_found(tmp_path: Path) -> None:
    assert inspect(tmp_path, base() | fluxes("gri", 16.4)).mapping.flux_unit == "mJy"


def test_a_zero_point_wins_over_the_file_whatever_comes_out(tmp_path: Path) -> None:
    columns = fluxes("gri", 16.4)

    report = inspect(
        tmp_path, base() | columns, {"zero_point": 31.4}, units=dict.fromkeys(columns, "mJy")
    )

    assert "unit-overridden" in codes(report)
    assert medians(report)["r"] == pytest.approx(np.median(SKY.mag("r")) + 15.0, abs=0.01)


def test_errors_of_a_flux_in_magnitudes_are_refused(tmp_path: Path) -> None:
    columns = fluxes("g", 23.9)

    with pytest.raises(CatalogError, match="magnitudes") as caught:
        inspect(tmp_path, base() | columns, units={"flux_g": "uJy", "flux_err_g": "mag"})

    assert caught.value.where == "flux_err_g"


@pytest.mark.parametrize("off", [-3.0, 3.0])
def test_a_band_off_the_line_between_its_neighbours_is_named(off: float, tmp_path: Path) -> None:
    columns = base() | mags("griz") | {"mag_i": SKY.mag("i") + off}

    found = [f.column for f in inspect(tmp_path, columns).findings if f.code == "band-far-off"]

    assert found == ["mag_i"]


def test_two_bands_far_from_each_other_are_named(tmp_path: Path) -> None:
    columns = base() | mags("gr") | {"mag_r": SKY.mag("r") - 7.0}

    assert "band-far-off" in codes(inspect(tmp_path, columns))


def test_a_dozen_fluxes_tell_their_unit(tmp_path: Path) -> None:
    rows = slice(0, 12)
    columns = {name: values[rows] for name, values in (base() | fluxes("gri", 23.9)).items()}

    report = inspect(tmp_path, columns)

    assert report.mapping.flux_unit == "uJy"


def test_of_too_few_fluxes_nothing_is_said_that_was_not_tried(tmp_path: Path) -> None:
    rows = slice(0, 4)
    columns = {name: values[rows] for name, values in (base() | fluxes("gri", 23.9)).items()}

    assert "no survey" not in " ".join(inspect(tmp_path, columns).warnings)


def test_columns_called_magnitudes_are_believed_where_their_numbers_are(tmp_path: Path) -> None:
    report = inspect(tmp_path, base() | mags("gri"), units={f"mag_{b}": "mJy" for b in "gri"})

    assert medians(report)["r"] == pytest.approx(np.median(SKY.mag("r")), abs=0.01)


def test_inverse_variances_that_do_not_fall_are_offered_as_such(tmp_path: Path) -> None:
    ivar = np.random.default_rng(1).lognormal(np.log(20.0**-2), 0.1, len(SKY.id))
    columns = base() | {"flux_g": SKY.flux("g"), "flux_err_g": ivar}

    found = [f for f in inspect(tmp_path, columns, {"flux_unit": "nJy"}).findings if f.mapping]

    assert {"flux_ivar": {"g": "flux_err_g"}} in [finding.mapping for finding in found]
