"""What a table holds is recognised by names, units and numbers together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspected import base, codes, inspect, mags, medians, refusal
from made_up_sky import MADE_UP

from hbmlc_models.formats import CatalogError, ColumnMapping, inspect_table
from hbmlc_models.formats.recognise import rank_names
from hbmlc_models.formats.recognise.band_names import parse_band_column

SKY = MADE_UP


@pytest.mark.parametrize(
    "name",
    [
        "redshift", "z_spec", "zphot", "image", "B_IMAGE", "A_IMAGE", "H_alpha_flux", "EW_Hb",
        "K_flux_CaII", "flag_g", "g_flag", "ebv", "extinction_r", "petroR50_r", "snr_g", "nobs_g",
        "mw_transmission_z", "MAG_AUTO", "FLUX_RADIUS", "Z_B", "T_B", "g_minus_r", "u_g_mag", "ra",
        "ALPHA_J2000", "RAJ2000", "class_star", "OII_FLUX", "i_extendedness_value", "absmag_r",
        "mag_true_g", "z_err_flag",
    ],
)  # fmt: skip
def test_other_columns_are_no_photometry(name: str) -> None:
    assert parse_band_column(name) is None


@given(st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_name_can_be_read(name: str) -> None:
    parsed = parse_band_column(name)

    assert parsed is None or parsed.band


def test_case_is_judged_within_a_family(tmp_path: Path) -> None:
    columns = base() | mags("griz", "MAG_{}", "MAG_ERR_{}") | mags("JV", "MAG_{}", "MAG_ERR_{}")
    shouted = {k.upper() if "MAG" in k else k: v for k, v in columns.items()}

    assert set(inspect(tmp_path, shouted).bands) == {"g", "r", "i", "z", "J", "V"}


def test_the_y_of_a_near_infrared_camera_stays_in_capitals(tmp_path: Path) -> None:
    columns = base() | mags("ugri", "FLUX_{}_EXT_X", "FLUXERR_{}_EXT_X")
    columns = {k.replace("_X", "_HSC").upper() if "FLUX" in k else k: v for k, v in columns.items()}
    columns |= mags("YJH", "FLUX_{}", "FLUXERR_{}")

    assert set(inspect(tmp_path, columns, {"zero_point": 30.0}).bands) == set("ugriYJH")


def test_instruments_with_different_bands_are_joined(tmp_path: Path) -> None:
    columns = base() | mags("griz", "HSC_{}_MAG", "HSC_{}_MAGERR")
    columns |= mags("YJH", "UVISTA_{}_MAG", "UVISTA_{}_MAGERR")

    report = inspect(tmp_path, columns)

    assert report.bands == ("g", "r", "i", "z", "Y", "J", "H")
    assert "families-joined" in codes(report)


def test_of_a_band_that_is_there_twice_the_deeper_is_taken(tmp_path: Path) -> None:
    columns = base() | mags("griz", "HSC_{}_MAG", "HSC_{}_MAGERR")
    columns |= {"VISTA_z_MAG": SKY.mag("z"), "VISTA_z_MAGERR": SKY.error("z") * 3}
    columns |= mags("J", "VISTA_{}_MAG", "VISTA_{}_MAGERR")

    report = inspect(tmp_path, columns)

    assert report.mapping.mag["z"] == "HSC_z_MAG"
    assert "band-twice" in codes(report)


def test_emission_lines_are_left_alone(tmp_path: Path) -> None:
    lines = {"H_alpha_flux": SKY.flux("r"), "H_alpha_flux_err": SKY.flux_err("r")}

    assert inspect(tmp_path, base() | mags("gri") | lines).bands == ("g", "r", "i")


def test_a_bare_z_with_the_values_of_redshifts_is_the_label(tmp_path: Path) -> None:
    columns = base() | mags("gri", "{}", "{}_err")
    columns["z"] = columns.pop("z_spec")
    columns["z_err"] = np.full(len(SKY.id), 1e-3)

    report = inspect(tmp_path, columns)

    assert report.bands == ("g", "r", "i")
    assert report.labels.column == "z"


def test_a_bare_z_with_the_values_of_magnitudes_is_a_band(tmp_path: Path) -> None:
    assert inspect(tmp_path, base() | mags("griz", "{}", "{}_err")).bands == ("g", "r", "i", "z")


@pytest.mark.parametrize("name", ["Z_SPECTRO", "specObj_z", "z_spec_best", "ZSPEC", "spec_z_desi"])
def test_words_of_spectra_make_a_label(name: str, tmp_path: Path) -> None:
    columns = base() | mags("gri")
    columns[name] = columns.pop("z_spec")

    assert inspect(tmp_path, columns).labels.column == name


@pytest.mark.parametrize("name", ["z_phot", "ZPHOT", "photoz_best", "lp_zPDF", "z_ml"])
def test_photometric_redshifts_are_no_labels(name: str, tmp_path: Path) -> None:
    columns = base() | mags("gri")
    columns[name] = columns.pop("z_spec")

    assert inspect(tmp_path, columns).labels.column is None


@pytest.mark.parametrize("name", ["Z_BEST", "z_true"])
def test_where_no_label_is_sure_the_likely_column_is_named(name: str, tmp_path: Path) -> None:
    columns = base() | mags("gri")
    columns[name] = columns.pop("z_spec")

    report = inspect(tmp_path, columns)

    (finding,) = [f for f in report.findings if f.code == "labels-missing"]
    assert name in finding.message
    assert finding.mapping == {"z_spec": name}


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("ZWARN", {"equal": 0}),
        ("zWarning", {"equal": 0}),
        ("zflg", {"min": 3, "max": 4.9}),
        ("ZQUALITY", {"min": 3}),
        ("specz_flag_homogeneous", {"min": 3}),
        ("nQ", {"min": 3}),
    ],
)
def test_a_quality_column_that_is_not_used_is_named(
    name: str, cut: dict[str, float], tmp_path: Path
) -> None:
    columns = base() | mags("gri") | {name: np.arange(len(SKY.id)) % 5}

    report = inspect(tmp_path, columns)

    (finding,) = [f for f in report.findings if f.code == "quality-unused"]
    assert finding.mapping == {"z_quality": {"column": name, **cut}}
    cleaned = inspect(tmp_path, columns, finding.mapping)
    assert 0 < cleaned.n_labelled < report.n_labelled
    assert cleaned.labels.n_left_out["quality"] == report.n_labelled - cleaned.n_labelled


def test_the_flag_of_the_band_z_is_no_quality_of_redshifts(tmp_path: Path) -> None:
    flags = {f"{band}_flag": np.zeros(len(SKY.id)) for band in "griz"}

    assert "quality-unused" not in codes(inspect(tmp_path, base() | mags("griz") | flags))


def test_dereddened_columns_that_are_not_taken_are_named(tmp_path: Path) -> None:
    columns = base() | mags("griz", "MAG_AUTO_{}", "MAGERR_AUTO_{}")
    columns |= {f"MAG_AUTO_{b}_DERED": SKY.mag(b) - 0.1 for b in "griz"}

    report = inspect(tmp_path, columns)

    (finding,) = [f for f in report.findings if f.code == "dereddened-not-taken"]
    again = inspect(tmp_path, columns, finding.mapping)
    assert again.mapping.mag["g"] == "MAG_AUTO_g_DERED"
    assert again.mapping.mag_err["g"] == "MAGERR_AUTO_g"


def test_a_field_of_sdss_is_no_tile(tmp_path: Path) -> None:
    rows = np.arange(len(SKY.id))
    columns = base() | mags("gri") | {"run": rows % 3, "camcol": rows % 6, "field": rows % 40}

    assert inspect(tmp_path, columns).mapping.tile is None


def test_a_guessed_tile_of_fractions_is_not_used(tmp_path: Path) -> None:
    report = inspect(tmp_path, base() | mags("gri") | {"field": SKY.ra})

    assert report.mapping.tile is None
    assert "tile-not-used" in codes(report)


def test_a_selection_that_is_always_true_says_nothing(tmp_path: Path) -> None:
    everyone = np.ones(len(SKY.id), dtype=bool)

    report = inspect(tmp_path, base() | mags("gri") | {"selected": everyone})

    assert report.n_labelled == int(np.isfinite(SKY.z_spec).sum())
    assert report.mapping.selected is None


def test_a_selection_of_other_numbers_is_refused(tmp_path: Path) -> None:
    columns = base() | mags("gri") | {"ZWARN": np.arange(len(SKY.id)) % 5}

    error = refusal(tmp_path, columns, {"selected": "ZWARN"})

    assert (error.code, error.where) == ("mapping-invalid", "ZWARN")


def test_labels_of_galaxies_that_were_not_selected_are_counted(tmp_path: Path) -> None:
    columns = base() | mags("gri") | {"selected": np.arange(len(SKY.id)) % 2}

    report = inspect(tmp_path, columns)

    assert (
        report.labels.n + report.labels.n_left_out["not_selected"] == np.isfinite(SKY.z_spec).sum()
    )


def test_null_switches_a_guess_off(tmp_path: Path) -> None:
    columns = base() | mags("gri") | {"tile": np.arange(len(SKY.id)) % 7}

    report = inspect(tmp_path, columns, {"tile": None, "ra": None, "dec": None, "z_spec": None})

    assert report.coverage.n_tiles == 1
    assert report.coverage.ra_min is None
    assert report.n_labelled == 0


def test_without_an_id_rows_are_numbered_where_that_is_asked_for(tmp_path: Path) -> None:
    columns = base() | mags("gri")
    del columns["id"]

    error = refusal(tmp_path, columns)

    assert (error.code, error.mapping) == ("missing-ids", {"id": None})
    assert inspect(tmp_path, columns, error.mapping).n_rows == len(SKY.id)


def test_several_columns_together_are_an_id(tmp_path: Path) -> None:
    rows = np.arange(len(SKY.id))
    columns = base() | mags("gri") | {"plate": rows // 10, "fiber": rows % 10}

    assert inspect(tmp_path, columns, {"id": ["plate", "fiber"]}).n_rows == len(rows)
    assert refusal(tmp_path, columns, {"id": ["plate"]}).code == "duplicate-ids"


def test_a_mapping_of_values_finds_their_errors_by_name(tmp_path: Path) -> None:
    columns = base() | mags("gri", "MAG_AUTO_{}", "MAGERR_AUTO_{}")

    report = inspect(tmp_path, columns, {"mag": {"i": "MAG_AUTO_i", "r": "MAG_AUTO_r"}})

    assert report.bands == ("r", "i")
    assert report.mapping.mag_err == {"r": "MAGERR_AUTO_r", "i": "MAGERR_AUTO_i"}


def test_a_missing_error_is_the_fault_that_is_named(tmp_path: Path) -> None:
    columns = base() | {"unc_of_g": SKY.error("g"), "mag_g": SKY.mag("g"), "mag_r": SKY.mag("r")}

    error = refusal(tmp_path, columns)

    assert error.code == "bad-errors"
    assert "mag_g" in error.message
    assert "unc_of_g" in error.message


def test_errors_without_values_are_said_to_be_that(tmp_path: Path) -> None:
    error = refusal(tmp_path, base() | {"mag_err_g": SKY.error("g"), "unc_r": SKY.error("r")})

    assert error.code == "no-band-recognised"
    assert "mag_err_g" in error.message


def test_magnitudes_of_some_bands_and_fluxes_of_others_are_used_together(tmp_path: Path) -> None:
    columns = base() | mags("gri")
    columns |= {"flux_J": SKY.flux("J"), "flux_err_J": SKY.flux_err("J")}

    report = inspect(tmp_path, columns, units={"flux_J": "nJy", "flux_err_J": "nJy"})

    assert report.bands == ("g", "r", "i", "J")
    assert medians(report)["J"] == pytest.approx(np.median(SKY.mag("J")), abs=0.01)


def test_a_band_without_a_usable_value_is_dropped_and_named(tmp_path: Path) -> None:
    columns = base() | mags("ugri")
    columns["mag_u"] = np.full(len(SKY.id), np.nan)

    report = inspect(tmp_path, columns)

    assert report.bands == ("g", "r", "i")
    assert any(f.code == "band-empty" and "mag_u" in f.message for f in report.findings)


def test_the_mapping_of_a_report_gives_the_same_report(tmp_path: Path) -> None:
    columns = base() | mags("griz", "{}cmodel_mag", "{}cmodel_mag_err") | {"zflg": SKY.id % 5}
    first = inspect(tmp_path, columns, {"z_quality": {"column": "zflg", "min": 2}})

    again = inspect(tmp_path, columns, first.mapping.as_dict())

    assert again.mapping == first.mapping
    assert again.photometry[0].column == first.photometry[0].column
    assert again.labels == first.labels


def test_a_table_of_photometry_ranks_above_one_of_positions() -> None:
    table = rank_names(["id", "mag_g", "mag_err_g", "mag_r", "mag_err_r"])

    assert table > rank_names(["id", "ra", "dec", "z_spec", "weight"])
    assert table > rank_names(["id", "mag_g", "mag_r"])


def test_a_refusal_comes_with_what_was_noticed_before_it(tmp_path: Path) -> None:
    columns = base() | mags("gri") | {"ZWARN": np.zeros(len(SKY.id))}
    columns["id"] = np.zeros(len(SKY.id), dtype=int)

    error = refusal(tmp_path, columns)

    assert error.code == "duplicate-ids"
    assert [finding.code.value for finding in error.findings] == ["quality-unused"]


@pytest.mark.parametrize("zero_point", [27.3, 23.9])
def test_what_was_deduced_of_fluxes_can_be_mapped(zero_point: float, tmp_path: Path) -> None:
    columns = base() | mags("gri", "{}_MAG", "{}_MAGERR")
    for band in "gri":
        columns[f"{band}_FLUX"] = SKY.flux(band, zero_point=zero_point)
        columns[f"{band}_FLUXERR"] = SKY.flux_err(band, zero_point=zero_point)
    first = inspect(tmp_path, columns)

    again = inspect(tmp_path, columns, first.mapping.as_dict())

    assert first.mapping.flux["g"] == "g_FLUX"
    assert medians(again) == pytest.approx(medians(first), abs=2e-3)
    assert {band.unit_from.value for band in again.photometry} == {"mapping"}


@pytest.mark.parametrize("field", ["mag_offset", "zero_point"])
def test_a_band_that_is_not_there_is_a_slip_in_a_mapping(field: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, base() | mags("gri"), {field: {"Ks": 1.85}})

    assert (error.code, error.where) == ("mapping-invalid", field)


def test_a_column_that_is_mapped_as_redshift_is_no_band(tmp_path: Path) -> None:
    columns = base() | mags("griz", "{}", "{}_err")
    columns["z"] = columns.pop("z_spec") + 9.0

    report = inspect(tmp_path, columns, {"z_spec": "z"})

    assert report.bands == ("g", "r", "i")


@pytest.mark.parametrize(
    ("mapping", "where"),
    [
        ({"mag_offset": {"G": 2.7}}, "mag_offset"),
        ({"flux_unit": "parsec"}, "flux_unit"),
        ({"extras": {"sizze": "ra"}}, "extras"),
    ],
)
def test_what_a_mapping_says_in_vain_is_refused(
    mapping: dict[str, object], where: str, tmp_path: Path
) -> None:
    error = refusal(tmp_path, base() | mags("gri"), mapping)

    assert (error.code, error.where) == ("mapping-invalid", where)


def test_a_unit_of_fluxes_that_are_not_used_is_mentioned(tmp_path: Path) -> None:
    assert "unit-unused" in codes(inspect(tmp_path, base() | mags("gri"), {"flux_unit": "nJy"}))


def test_kinds_that_are_switched_off_are_said_to_be(tmp_path: Path) -> None:
    error = refusal(tmp_path, base() | mags("gri"), {"mag": None})

    assert "switches mag off" in error.message


@pytest.mark.parametrize(
    ("flag", "cut"),
    [
        (["3", "1"], {"equal": 3}),
        (["3.0", "1"], {"equal": "3"}),
        ([3.0, 1.0], {"equal": "3"}),
        ([True, False], {"equal": "T"}),
        ([True, False], {"equal": 1}),
        (["secure ", "no"], {"in": ["Secure", "likely"]}),
        ([4, 2], {"min": 3, "max": 4.9}),
    ],
)
def test_a_cut_on_quality_takes_flags_numbers_and_texts(
    flag: list[object], cut: dict[str, object], tmp_path: Path
) -> None:
    columns = base() | mags("gri") | {"flag": [flag[k % 2] for k in range(len(SKY.id))]}

    report = inspect(tmp_path, columns, {"z_quality": {"column": "flag", **cut}})

    assert report.n_labelled == np.sum(np.isfinite(SKY.z_spec) & (np.arange(len(SKY.id)) % 2 == 0))


def test_names_that_are_there_twice_and_not_used_are_mentioned(tmp_path: Path) -> None:
    rows = "\n".join(f"{k},{20 + k % 3},0.1,{k % 5},x,y" for k in range(50))
    path = tmp_path / "upload.csv"
    path.write_text(f"id,mag_g,mag_err_g,z_spec,note,note\n{rows}\n")

    assert "column-twice" in codes(inspect_table(path))


@pytest.mark.parametrize("number", ["{:g}", "{:.4e}", "{:.8E}", "{:.1f}"])
def test_ids_of_a_text_table_that_lost_their_digits_are_refused(
    number: str, tmp_path: Path
) -> None:
    ids = [number.format(1.2345e17 + k * 1e13) for k in range(50)]
    rows = "\n".join(f"{i},{20 + k % 3},0.1,{0.1 * (k % 5)}" for k, i in enumerate(ids))
    path = tmp_path / "upload.csv"
    path.write_text(f"id,mag_g,mag_err_g,z_spec\n{rows}\n")

    with pytest.raises(CatalogError, match="digits of its ids are lost"):
        inspect_table(path)


def test_positions_may_be_texts_with_minutes_and_seconds(tmp_path: Path) -> None:
    def text(value: float) -> str:
        minutes, seconds = divmod(round(abs(value) * 3600, 2), 60)
        whole, minutes = divmod(int(minutes), 60)
        return f"{'-' if value < 0 else '+'}{whole:02d}:{minutes:02d}:{seconds:05.2f}"

    columns = base() | mags("gri")
    columns["ra"] = [text(ra / 15)[1:] for ra in SKY.ra]
    columns["dec"] = [text(-dec) for dec in SKY.dec]

    report = inspect(tmp_path, columns)

    assert report.coverage.ra_min == pytest.approx(SKY.ra.min(), abs=1e-3)
    assert report.coverage.dec_min == pytest.approx(-SKY.dec.max(), abs=1e-3)


@pytest.mark.parametrize("name", ["ls_id", "ID_COSMOS2015", "uberID", "unique_id", "SDSS", "row"])
def test_a_unique_column_with_the_name_of_an_id_is_one(name: str, tmp_path: Path) -> None:
    columns = base() | mags("gri") | {"group_id": SKY.id % 7, "halo_id": SKY.id % 40}
    columns[name] = [f"g{k}" for k in columns.pop("id")]

    assert inspect(tmp_path, columns).mapping.id == name


def test_columns_that_together_are_an_id_are_named(tmp_path: Path) -> None:
    rows = np.arange(len(SKY.id))
    columns = base() | mags("gri") | {"BRICKID": rows // 10, "OBJID": rows % 10}
    del columns["id"]

    error = refusal(tmp_path, columns)

    assert error.mapping == {"id": ["BRICKID", "OBJID"]}
    assert inspect(tmp_path, columns, error.mapping).n_rows == len(rows)


@pytest.mark.parametrize("name", ["z_VIPERS", "zhelio", "z_cmb", "DESI_Z", "z_sdss", "Z_HELIO"])
def test_a_z_with_the_name_of_a_survey_of_spectra_is_a_label(name: str, tmp_path: Path) -> None:
    columns = base() | mags("gri")
    columns[name] = columns.pop("z_spec")

    assert inspect(tmp_path, columns).labels.column == name


@pytest.mark.parametrize("cut", [{"min": 5, "max": 1}, {"min": 5, "equal": 1}])
def test_a_cut_that_contradicts_itself_is_refused(cut: dict[str, object]) -> None:
    with pytest.raises(CatalogError, match="z_quality"):
        ColumnMapping.from_dict({"z_quality": {"column": "q", **cut}})


def test_a_table_of_one_band_needs_no_word_for_its_quantity(tmp_path: Path) -> None:
    assert inspect(tmp_path, base() | mags("r", "{}", "{}_err")).bands == ("r",)


def test_null_switches_the_guess_of_errors_off(tmp_path: Path) -> None:
    columns = base() | {"flux_g": SKY.flux("g"), "flux_err_g": SKY.flux_err("g")}

    error = refusal(tmp_path, columns, {"flux": {"g": "flux_g"}, "flux_err": None})

    assert error.code == "bad-errors"


@pytest.mark.parametrize(
    "mapping",
    [
        {"z_spec": None, "z_quality": {"column": "q", "min": 3}},
        {"z_spec": None, "z_spec_err": "q"},
        {"id": ["id", "id"]},
        {"flux_unit": "uJy", "zero_point": {"g": 25.0}},
    ],
)
def test_a_mapping_that_says_two_things_is_refused(mapping: dict[str, object]) -> None:
    with pytest.raises(CatalogError):
        ColumnMapping.from_dict(mapping)


def test_some_bands_may_have_a_unit_and_others_a_zero_point(tmp_path: Path) -> None:
    columns = base()
    for band, point in (("g", 25.0), ("r", 23.9)):
        columns[f"flux_{band}"] = SKY.flux(band, zero_point=point)
        columns[f"flux_err_{band}"] = SKY.flux_err(band, zero_point=point)

    report = inspect(tmp_path, columns, {"flux_unit": {"r": "uJy"}, "zero_point": {"g": 25.0}})

    for band in "gr":
        assert medians(report)[band] == pytest.approx(np.median(SKY.mag(band)), abs=0.01)
