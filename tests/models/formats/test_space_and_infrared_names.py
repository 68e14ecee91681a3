"""Bands from space and in the near infrared are recognised as their archives name them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from inspected import Table, base, codes, inspect, medians
from made_up_sky import MADE_UP

from hbmlc_models.formats.recognise.name_words import words_of

SKY = MADE_UP
NISP = {"Y": "y", "J": "j", "H": "h"}
SUBARU = {"u": "u", "B": "B", "V": "V", "r": "r", "i": "ip", "z": "zpp"}


def photometry(
    bands: dict[str, str], value: str, error: str, *, zero_point: float | None = None
) -> Table:
    """Magnitudes, or fluxes of a zero point, in columns named by our band to theirs."""
    found: Table = {}
    for ours, theirs in bands.items():
        is_mag = zero_point is None
        point = zero_point or 0.0
        found[value.format(theirs)] = SKY.mag(ours) if is_mag else SKY.flux(ours, zero_point=point)
        found[error.format(theirs)] = (
            SKY.error(ours) if is_mag else SKY.flux_err(ours, zero_point=point)
        )
    return found


@pytest.mark.parametrize(
    ("value", "error", "bands"),
    [
        ("{}_m", "{}_msigcom", {"J": "j", "H": "h", "K": "k"}),
        ("{}_m", "{}_cmsig", {"J": "j", "H": "h", "K": "k"}),
        ("{}_m_ext", "{}_msig_ext", {"J": "j", "H": "h", "K": "k"}),
        ("{}_m_k20fe", "{}_msig_k20fe", {"J": "j", "H": "h", "K": "k"}),
        ("{}AperMag3", "{}AperMag3Err", {"Y": "y", "J": "j_1", "H": "h", "K": "k"}),
        ("{}PETROMAG", "{}PETROMAGERR", {"Y": "Y", "J": "J", "H": "H", "Ks": "KS"}),
        ("{}mpro_pm", "{}sigmpro_pm", {"W1": "w1", "W2": "w2"}),
        ("{}mag", "e_{}mag", {"U": "U", "B": "B", "V": "V", "R": "R", "I": "I"}),
    ],
)
def test_catalogues_in_vega_magnitudes_are_known(
    value: str, error: str, bands: dict[str, str], tmp_path: Path
) -> None:
    report = inspect(tmp_path, base() | photometry(bands, value, error))

    assert set(report.bands) == set(bands)
    assert "vega-magnitudes" in codes(report)


@pytest.mark.parametrize(
    ("value", "error", "bands"),
    [
        ("{}mag", "e_{}mag", {"FUV": "FUV", "NUV": "NUV", "u": "u", "g": "g", "r": "r"}),
        ("{}mag", "e_{}mag", {"F606W": "F606W", "F814W": "F814W", "F160W": "F160W"}),
        ("{}_MAG_APER3", "{}_MAGERR_APER3", SUBARU),
        ("{}_auto", "e_{}_auto", {"J0378": "F378", "J0861": "F861", "g": "g", "r": "r"}),
        ("{}_PStotal", "e_{}_PStotal", {"J0378": "J0378", "g": "g", "r": "r"}),
        ("MAG_AUTO_VEGA_{}", "MAGERR_AUTO_{}", {"J": "J", "H": "H"}),
        ("{}_kronflux_mag", "{}_kronflux_magerr", {"g": "g", "r": "r", "i": "i"}),
        ("{}_psfflux_mag", "{}_psfflux_magerr", {"g": "g", "r": "r", "i": "i"}),
    ],
)
def test_magnitudes_are_magnitudes(
    value: str, error: str, bands: dict[str, str], tmp_path: Path
) -> None:
    report = inspect(tmp_path, base() | photometry(bands, value, error))

    assert set(report.bands) == set(bands)
    for band in report.photometry:
        assert band.mag_p50 == pytest.approx(float(np.median(SKY.mag(band.band))), abs=0.01)


@pytest.mark.parametrize(
    ("value", "error", "bands"),
    [
        ("flux_{}", "dflux_{}", {"W1": "W1", "W2": "W2"}),
        ("{}_KRON_CONV", "{}_KRON_CONV_e", {"F090W": "F090W", "F444W": "F444W", "F200W": "F200W"}),
        ("{}_tot_1", "{}_etot_1", {f"F{n}W": f"f{n}w-clear" for n in (150, 200, 444)}),
        ("{}_tot_1", "{}_etot_1", {f"F{n}W": f"f{n}wn-clear" for n in (115, 150, 200)}),
        ("flux_model_{}", "flux_err-cal_model_{}", {"F115W": "f115w", "F277W": "f277w"}),
        ("flux_{}_2fwhm_aper", "fluxerr_{}_2fwhm_aper", {"VIS": "vis", **NISP}),
    ],
)
def test_fluxes_are_fluxes(value: str, error: str, bands: dict[str, str], tmp_path: Path) -> None:
    columns = photometry(bands, value, error, zero_point=23.9)

    report = inspect(tmp_path, base() | columns, {"flux_unit": "uJy"})

    assert set(report.bands) == set(bands)
    for band in report.photometry:
        assert band.mag_p50 == pytest.approx(float(np.median(SKY.mag(band.band))), abs=0.01)


def test_the_y_of_lsst_beside_the_near_infrared_stays_small(tmp_path: Path) -> None:
    bands = {band: band for band in "grizyJH"}

    assert "y" in inspect(tmp_path, base() | photometry(bands, "mag_{}", "mag_err_{}")).bands


def test_fluxes_of_sdss_with_inverse_variances_are_nanomaggies(tmp_path: Path) -> None:
    columns = base()
    for band in "ugriz":
        columns[f"cModelFlux_{band}"] = SKY.flux(band, zero_point=22.5)
        columns[f"cModelFluxIvar_{band}"] = SKY.flux_err(band, zero_point=22.5) ** -2

    report = inspect(tmp_path, columns)

    assert report.mapping.flux_unit == "nanomaggy"
    assert medians(report)["r"] == pytest.approx(np.median(SKY.mag("r")), abs=0.01)


def test_bands_of_several_letters_are_one_word() -> None:
    assert words_of("e_F606Wmag") == ("e", "F606W", "mag")
    assert words_of("NUVmag") == ("NUV", "mag")
    assert words_of("j_msigcom") == ("j", "sig")
