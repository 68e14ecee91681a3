"""Units are understood as people spell them, in the file and in the mapping."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from inspected import Table, base, codes, inspect, mags, medians
from made_up_sky import MADE_UP

from hbmlc_models.formats import CatalogError
from hbmlc_models.formats.units import flux_unit, is_per_wavelength, mag_per

SKY = MADE_UP


def fluxes(zero_point: float, *, power: int = 1) -> Table:
    """Fluxes in three bands, with their errors to some power."""
    found: Table = {}
    for band in "gri":
        found[f"flux_{band}"] = SKY.flux(band, zero_point=zero_point)
        found[f"flux_err_{band}"] = SKY.flux_err(band, zero_point=zero_point) ** power
    return found


def with_errors_in(unit: str, values: str) -> dict[str, str]:
    return {f"flux_{band}": values for band in "gri"} | {f"flux_err_{band}": unit for band in "gri"}


@pytest.mark.parametrize(
    ("text", "zero_point"),
    [
        ("micro-Jansky", 23.9), ("Micro Jansky", 23.9), ("uJansky", 23.9), ("muJy", 23.9),
        ("UJY", 23.9), (r"$\mu$Jy", 23.9), (r"\mu Jy", 23.9), ("10^{-6} Jy", 23.9),
        ("x10-6 Jy", 23.9), ("flux density (uJy)", 23.9), ("uJy (AB)", 23.9), ("NJY", 31.4),
        ("nano-Jansky", 31.4), ("nJansky", 31.4), ("10 nJy", 28.9), ("milliJy", 16.4),
        ("mjy", 16.4), ("Nanomaggy", 22.5), ("nanomagg", 22.5), ("nanomaggys", 22.5),
        ("NMGY", 22.5), ("AB nanomaggies", 22.5), ("1e-9 maggies", 22.5),
        ("10^-9 maggies", 22.5), ("ergs/s/cm^2/Hz", -48.6), ("AB=25", 25.0), ("ZP=25", 25.0),
        ("zero point 27.5", 27.5), ("ZP = 23.9 mag", 23.9),
    ],
)  # fmt: skip
def test_fluxes_are_spelled_in_many_ways(text: str, zero_point: float) -> None:
    unit = flux_unit(text)

    assert unit is not None
    assert -2.5 * np.log10(unit.maggies) == pytest.approx(zero_point, abs=0.005)


@pytest.mark.parametrize("text", ["mag(AB)", "mag (AB)", "AB", "mag(ST)", "MJY", "nJy2", "1/nmgy2"])
def test_what_can_be_turned_into_a_flux_is_none_yet(text: str) -> None:
    assert flux_unit(text) is None


@pytest.mark.parametrize("text", ["erg/s/cm2/A", "erg/s/cm^2/Angstrom", "1e-17 ergs/s/cm2/A"])
def test_an_ampere_is_no_wavelength(text: str) -> None:
    assert is_per_wavelength(text)


@pytest.mark.parametrize("unit", ["mag", "mag(AB)", "mag (AB)", "AB", "ABmag", "AB mag"])
def test_magnitudes_in_any_ab_unit_are_read(unit: str, tmp_path: Path) -> None:
    assert mag_per(unit) == 1.0

    report = inspect(tmp_path, base() | mags("gri"), units={f"mag_{b}": unit for b in "gri"})

    assert medians(report)["r"] == pytest.approx(np.median(SKY.mag("r")), abs=0.001)


def test_magnitudes_in_millimagnitudes_are_read(tmp_path: Path) -> None:
    columns = {name: 1e3 * values for name, values in mags("gri").items()}

    report = inspect(tmp_path, base() | columns, units=dict.fromkeys(columns, "mmag"))

    assert medians(report)["r"] == pytest.approx(np.median(SKY.mag("r")), abs=0.001)


@pytest.mark.parametrize(("unit", "zero_point"), [("1/nJy2", 31.4), ("nanomaggy-2", 22.5)])
def test_inverse_variances_have_a_unit_of_their_own(
    unit: str, zero_point: float, tmp_path: Path
) -> None:
    columns = {name.replace("err", "ivar"): v for name, v in fluxes(22.5).items()}
    for band in "gri":
        columns[f"flux_ivar_{band}"] = SKY.flux_err(band, zero_point=zero_point) ** -2
    units = {name: unit if "ivar" in name else "nanomaggy" for name in columns}

    report = inspect(tmp_path, base() | columns, units=units)

    snr = np.median(1.0857 / SKY.error("g"))
    assert report.photometry[0].snr_p50 == pytest.approx(snr, rel=0.02)


@pytest.mark.parametrize(("power", "unit", "word"), [(2, "uJy2", "root"), (-2, "1/uJy^2", "ivar")])
def test_errors_in_squared_units_are_refused(
    power: int, unit: str, word: str, tmp_path: Path
) -> None:
    with pytest.raises(CatalogError, match=word) as caught:
        inspect(tmp_path, base() | fluxes(23.9, power=power), units=with_errors_in(unit, "uJy"))

    assert caught.value.where == "flux_err_g"


def test_a_zero_point_for_a_unit_is_used(tmp_path: Path) -> None:
    columns = fluxes(25.0)

    report = inspect(tmp_path, base() | columns, units=dict.fromkeys(columns, "AB=25"))

    assert medians(report)["r"] == pytest.approx(np.median(SKY.mag("r")), abs=0.001)
    assert not codes(report) & {"unit-assumed", "unit-not-understood"}
    again = inspect(tmp_path, base() | columns, report.mapping.as_dict())
    assert medians(again) == medians(report)
