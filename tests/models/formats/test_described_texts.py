"""Text tables whose head describes them: SExtractor, BPZ, ECSV, IPAC and CDS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from read_tables import read_table
from text_tables import refused, text

SEXTRACTOR = """\
#   1 NUMBER                 Running object number
#   2 ALPHA_J2000            Right ascension of barycenter                  [deg]
#   3 FLUX_APER              Flux vector within fixed circular aperture     [count]
#   6 MAG_AUTO               Kron-like elliptical aperture magnitude        [mag]
         1  150.1    1.0 2.0 3.0   21.5
         2  150.2    1.1 2.1 3.1   22.5
"""


def test_sextractor_headers_name_columns_units_and_apertures(tmp_path: Path) -> None:
    found = text(tmp_path, SEXTRACTOR)

    assert list(found.columns)[2:] == ["FLUX_APER", "FLUX_APER_1", "FLUX_APER_2", "MAG_AUTO"]
    assert found.units["MAG_AUTO"] == "mag"
    assert found.numbers("FLUX_APER_2") == [3.0, 3.1]


def test_bpz_headers_name_columns(tmp_path: Path) -> None:
    found = text(tmp_path, "## made by bpz\n##id mag\n# 1 ID\n# 2 Z_B\n# 3 mag_i\n7 0.5 21.5\n")

    assert tuple(found.columns) == ("ID", "Z_B", "mag_i")
    assert found.numbers("mag_i") == [21.5]


def catalogue() -> Table:
    """Three galaxies with units."""
    table = Table({"id": [1, 2, 3], "name": ["a b", "c", "d"], "flux_g": [3.5, 4.5, 5.5]})
    table["flux_g"].unit = "uJy"
    table["flux_g"].description = "Flux in g"
    return table


@pytest.mark.parametrize("delimiter", [" ", ","])
def test_ecsv_has_units_and_quoted_texts(tmp_path: Path, delimiter: str) -> None:
    catalogue().write(tmp_path / "upload", format="ascii.ecsv", delimiter=delimiter)

    found = read_table(tmp_path / "upload")

    assert found.units == {"flux_g": "uJy"}
    assert found.columns["flux_g"].description == "Flux in g"
    assert found.cells["name"] == ["a b", "c", "d"]


def test_ecsv_masks_are_null(tmp_path: Path) -> None:
    table = Table(catalogue(), masked=True)
    table["flux_g"].mask = [False, True, False]
    for method in ("null_value", "data_mask"):
        table.write(
            tmp_path / "upload", format="ascii.ecsv", serialize_method=method, overwrite=True
        )

        found = read_table(tmp_path / "upload")

        assert tuple(found.columns) == ("id", "name", "flux_g")
        assert found.numbers("flux_g") == [3.5, None, 5.5]


def test_ipac_tables_have_names_units_and_nulls_between_bars(tmp_path: Path) -> None:
    content = (
        "\\fixlen = T\n\\ a comment\n"
        "|   id|   name|   flux_g|  z_spec|\n|  int|   char|   double|  double|\n"
        "|     |       |      mJy|        |\n| null|   null|     null|    -999|\n"
        "     1    a b       3.5     0.5 \n     2      c      null    -999 \n"
    )

    found = text(tmp_path, content)

    assert found.units == {"flux_g": "mJy"}
    assert found.cells["name"] == ["a b", "c"]
    assert found.numbers("flux_g") == [3.5, None]
    assert found.numbers("z_spec") == [0.5, None]


def test_ipac_tables_as_astropy_writes_them_are_read(tmp_path: Path) -> None:
    catalogue().write(tmp_path / "upload", format="ascii.ipac")

    found = read_table(tmp_path / "upload")

    assert found.units == {"flux_g": "uJy"}
    assert found.numbers("flux_g") == [3.5, 4.5, 5.5]


@pytest.mark.parametrize("kind", ["mrt", "cds"])
def test_machine_readable_tables_are_read_by_their_bytes(tmp_path: Path, kind: str) -> None:
    content = (
        "Title: Made up\nAuthors: Nobody\nTable: One\n" + "=" * 80 + "\n"
        "Byte-by-byte Description of file: table.txt\n" + "-" * 80 + "\n"
        "   Bytes Format Units   Label   Explanations\n" + "-" * 80 + "\n"
        "   1-  4 I4     ---     ID      Identifier\n"
        "   6- 11 F6.3   mJy     flux_g  Flux\n"
        "                                  in g\n"
        "  13- 18 F6.3   ---     z_spec  ?=-9.999 Redshift\n"
        "      20 A1     ---     q       ? Quality\n" + "-" * 80 + "\n"
        "Note (1): none.\n" + "-" * 80 + "\n"
        "   1  3.500  0.500 a\n   2  4.500 -9.999 b\n   3  5.500\n"
    )

    found = text(tmp_path, content if kind == "mrt" else content.split("\n", 3)[3])

    assert found.units == {"flux_g": "mJy"}
    assert found.columns["flux_g"].description == "Flux in g"
    assert found.numbers("z_spec") == [0.5, None, None]
    assert found.cells["q"] == ["a", "b", None]


def test_machine_readable_tables_as_astropy_writes_them_are_read(tmp_path: Path) -> None:
    catalogue().write(tmp_path / "upload", format="ascii.mrt")

    found = read_table(tmp_path / "upload")

    assert found.cells["name"] == ["a b", "c", "d"]
    assert found.numbers("flux_g") == [3.5, 4.5, 5.5]


def test_a_description_without_rows_says_so(tmp_path: Path) -> None:
    error = refused(tmp_path, "Byte-by-byte Description of file: x\n-----\n 1- 4 I4 --- ID Id\n")

    assert "byte-by-byte" in error.message


@pytest.mark.parametrize("delimiter", [" ", ","])
def test_elements_of_ecsv_vectors_are_numbers(tmp_path: Path, delimiter: str) -> None:
    table = Table({"id": [1, 2, 3], "MAG": np.arange(15.0).reshape(3, 5), "n": [[1, 2]] * 3})
    table["MAG"].unit = "mag"
    table["MAG"] = MaskedColumn(table["MAG"], mask=[[False] * 5, [False] * 5, [True] + [False] * 4])
    table.write(tmp_path / "upload", format="ascii.ecsv", delimiter=delimiter)

    found = read_table(tmp_path / "upload", "id", "MAG[0]", "MAG[4]", "n[1]")

    assert found.columns["MAG"].n_elements == 5
    assert found.columns["MAG"].unit == "mag"
    assert found.numbers("MAG[0]") == [0, 5, None]
    assert found.numbers("MAG[4]") == [4, 9, 14]
    assert found.numbers("n[1]") == [2, 2, 2]


def test_ecsv_lists_of_any_length_lack_what_they_do_not_hold(tmp_path: Path) -> None:
    lists = np.empty(3, object)
    lists[:] = [np.array([1.5]), np.array([2.5, 3.5]), np.array([], float)]
    Table({"id": [1, 2, 3], "FLUX": lists}).write(tmp_path / "upload", format="ascii.ecsv")

    found = read_table(tmp_path / "upload", "FLUX[0]", "FLUX[1]")

    assert found.numbers("FLUX[0]") == [1.5, 2.5, None]
    assert found.numbers("FLUX[1]") == [None, 3.5, None]
