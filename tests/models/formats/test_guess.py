"""Column names of the field are recognised."""

from __future__ import annotations

import pytest

from hbmlc_models.formats import ColumnMapping
from hbmlc_models.formats.errors import MixedPhotometryError
from hbmlc_models.formats.guess import guess_mapping

U = "ugrizy"


def guessed(names: str | list[str], **units: str) -> ColumnMapping:
    names = names.split() if isinstance(names, str) else names
    return guess_mapping({name: units.get(name) for name in names}).mapping


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("mag_{}", "mag_err_{}"),
        ("mag_{}", "magerr_{}"),
        ("mag_{}_lsst", "mag_err_{}_lsst"),
        ("mag_{}_lsst", "mag_{}_lsst_err"),
        ("modelMag_{}", "modelMagErr_{}"),
        ("{}_cModelMag", "{}_cModelMagErr"),
        ("{}mag", "e_{}mag"),
        ("MAG_AUTO_{}", "MAGERR_AUTO_{}"),
        ("{}", "{}_err"),
        ("{}", "err_{}"),
    ],
)
def test_magnitude_spellings(value: str, error: str) -> None:
    columns = [pattern.format(band) for band in U for pattern in (value, error)]

    mapping = guessed(["id", *columns])

    assert mapping.mag == {band: value.format(band) for band in U}
    assert mapping.mag_err == {band: error.format(band) for band in U}


@pytest.mark.parametrize(
    ("value", "error"),
    [("flux_{}", "flux_err_{}"), ("{}_cModelFlux", "{}_cModelFluxErr"), ("flux_{}", "fluxerr_{}")],
)
def test_flux_spellings(value: str, error: str) -> None:
    columns = [pattern.format(band) for band in U for pattern in (value, error)]

    mapping = guessed(["id", *columns])

    assert mapping.flux == {band: value.format(band) for band in U}
    assert mapping.flux_err == {band: error.format(band) for band in U}
    assert mapping.flux_unit == "nJy"


def test_units_of_the_file_win_over_the_convention() -> None:
    mapping = guessed("id flux_g flux_err_g", flux_g="nanomaggy", flux_err_g="nanomaggy")

    assert mapping.flux_unit == "nanomaggy"


def test_upper_case_tables_speak_of_the_ugrizy_system() -> None:
    mapping = guessed("ID MAG_AUTO_G MAGERR_AUTO_G MAG_AUTO_R MAGERR_AUTO_R")

    assert list(mapping.mag) == ["g", "r"]
    assert mapping.id == "ID"


def test_johnson_bands_keep_their_capitals() -> None:
    names = [name for band in "uBVrizJHK" for name in (f"mag_{band}", f"mag_err_{band}")]

    assert list(guessed(["id", *names]).mag) == list("uBVrizJHK")


def test_unknown_band_names_are_accepted_after_mag() -> None:
    assert guessed("id mag_NB921 mag_err_NB921").mag == {"NB921": "mag_NB921"}


def test_total_fluxes_win_over_apertures_and_magnitudes() -> None:
    kinds = ("psfFlux", "cModelFlux", "cModelMag")
    names = [f"{band}_{kind}{end}" for band in U for kind in kinds for end in ("", "Err")]

    mapping = guessed(["objectId", *names])

    assert mapping.flux["g"] == "g_cModelFlux"
    assert not mapping.mag


def test_a_redshift_with_its_error_is_no_z_band() -> None:
    mapping = guessed("id z z_err mag_g mag_err_g redshift")

    assert list(mapping.mag) == ["g"]
    assert mapping.z_spec == "redshift"


def test_bands_split_between_magnitudes_and_fluxes_are_refused() -> None:
    with pytest.raises(MixedPhotometryError):
        guessed("id mag_g mag_err_g flux_r flux_err_r")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("objectId", "id"),
        ("GALAXY_ID", "id"),
        ("RAJ2000", "ra"),
        ("coord_dec", "dec"),
        ("zspec", "z_spec"),
        ("specz", "z_spec"),
        ("tract", "tile"),
        ("healpix", "tile"),
        ("is_selected", "selected"),
    ],
)
def test_other_columns(name: str, role: str) -> None:
    assert getattr(guessed(["mag_g", "mag_err_g", name]), role) == name


def test_extras_are_found_by_band() -> None:
    names = "id mag_g mag_err_g depth_g m5_r psf_fwhm_g half_light_radius ellipticity"

    extras = guessed(names).extras

    assert extras == {
        "depth_g": "depth_g",
        "depth_r": "m5_r",
        "seeing_g": "psf_fwhm_g",
        "size": "half_light_radius",
        "ellipticity": "ellipticity",
    }


def test_given_columns_override_the_guess() -> None:
    given = ColumnMapping(id="b", mag={"g": "x"}, mag_err={"g": "y"})

    guess = guess_mapping(
        dict.fromkeys(["id", "b", "x", "y", "mag_r", "mag_err_r", "redshift"]), given
    )

    assert guess.mapping.id == "b"
    assert guess.mapping.mag == {"g": "x"}
    assert guess.mapping.z_spec == "redshift"


def test_mapping_survives_its_json_form() -> None:
    mapping = guessed("id flux_g flux_err_g depth_g")

    assert ColumnMapping.from_dict(mapping.as_dict()) == mapping
