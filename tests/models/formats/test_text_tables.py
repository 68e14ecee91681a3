"""Text tables of every kind that people have: what they hold comes out, whatever divides it."""

from __future__ import annotations

from pathlib import Path

import pytest
from read_tables import read_table
from text_tables import MAGS, NAMES, in_columns, refused, text

from hbmlc_models.formats.errors import CatalogError
from hbmlc_models.formats.findings import FindingCode
from hbmlc_models.formats.limits import IngestLimits


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", "   ", " , ", "\t\t "])
def test_any_separator_gives_the_same_table(tmp_path: Path, separator: str) -> None:
    found = text(tmp_path, in_columns(separator))

    assert tuple(found.columns) == NAMES
    assert found.numbers("mag_g") == MAGS


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", " "])
def test_any_line_end_gives_the_same_table(tmp_path: Path, end: str, separator: str) -> None:
    found = text(tmp_path, in_columns(separator, end=end))

    assert found.numbers("mag_g") == MAGS


@pytest.mark.parametrize("separator", [",", " ", "\t"])
def test_comments_and_blank_lines_may_stand_anywhere(tmp_path: Path, separator: str) -> None:
    lines = in_columns(separator).splitlines()
    lines.insert(2, "# this galaxy is odd")
    lines.insert(3, separator.join(("#4", "20.0", "0.1")))
    lines.insert(3, "")
    lines.insert(4, "   ")
    found = text(tmp_path, "\n".join(["", "# made up", *lines, "", "# end"]))

    assert found.cells["id"] == ["1", "2", "3"]
    assert found.numbers("mag_g") == MAGS


def test_a_title_in_a_comment_is_no_header(tmp_path: Path) -> None:
    assert tuple(text(tmp_path, "#Table1\n" + in_columns(",")).columns) == NAMES


def test_of_two_commented_headers_the_one_with_bands_is_taken(tmp_path: Path) -> None:
    rows = "1 150.1 1.5 0.1\n2 150.2 1.7 0.2\n"

    found = text(tmp_path, "# id ra f_g e_g\n# id ra F1 E1\n" + rows)

    assert tuple(found.columns) == ("id", "ra", "f_g", "e_g")


def test_a_remark_above_the_commented_header_is_passed_over(tmp_path: Path) -> None:
    rows = "1 21.5 0.1\n2 22.0 0.1\n"

    found = text(tmp_path, "# made by hand\n# id mag_g mag_err_g\n#\n" + rows)

    assert found.numbers("mag_g") == [21.5, 22.0]


def test_a_commented_line_of_units_below_the_names_gives_units(tmp_path: Path) -> None:
    found = text(tmp_path, "# id flux_g\n# - (uJy)\n1 3.5\n2 4.5\n")

    assert found.units == {"flux_g": "uJy"}


@pytest.mark.parametrize("last", [",", ""])
def test_trailing_separators_make_no_column(tmp_path: Path, last: str) -> None:
    header = ",".join(NAMES)
    for shape in (header, header + ","):
        found = text(tmp_path, in_columns(",", header=shape, last=last))

        assert tuple(found.columns) == NAMES
        assert found.numbers("mag_err_g") == [0.1] * 3


def test_some_rows_may_end_with_a_separator(tmp_path: Path) -> None:
    found = text(tmp_path, "id,mag_g,z_spec\n1,21,\n2,22,0.5,\n3,23,,\n4,24,0.7\n")

    assert found.cells["z_spec"] == [None, "0.5", None, "0.7"]


@pytest.mark.parametrize("separator", [";", "\t", " "])
def test_decimal_commas_are_numbers_and_are_said(tmp_path: Path, separator: str) -> None:
    content = in_columns(separator).replace(".", ",").replace("mag,", "mag.")

    found = text(tmp_path, content)

    assert found.numbers("mag_g") == MAGS
    assert FindingCode.DECIMAL_COMMA in found.codes


def test_decimal_commas_in_quotes_are_numbers(tmp_path: Path) -> None:
    found = text(tmp_path, 'id,mag_g,mag_err_g\n1,"21,5","0,1"\n2,"22,25","0,2"\n')

    assert found.numbers("mag_g") == [21.5, 22.25]


def test_thousands_in_quotes_are_no_decimals(tmp_path: Path) -> None:
    assert text(tmp_path, 'id,n\n1,"21,500"\n2,"22,250"\n').codes == set()


@pytest.mark.parametrize("head", ["", "\n\n", "# a remark\n", "\n# a remark\n\n"])
@pytest.mark.parametrize("separator", [",", " "])
def test_lines_above_the_header_do_not_shift_the_rows(
    tmp_path: Path, head: str, separator: str
) -> None:
    assert text(tmp_path, head + in_columns(separator)).cells["id"] == ["1", "2", "3"]


@pytest.mark.parametrize("head", ["", "# a remark\n"])
def test_a_header_alone_is_a_table_without_rows(tmp_path: Path, head: str) -> None:
    assert text(tmp_path, head + "id,mag_g\n").cells["id"] == []


def test_commas_within_semicolons_are_text_where_numbers_have_points(tmp_path: Path) -> None:
    found = text(tmp_path, "id;mag_g;note\n1;21.5;a,b\n2;22.5;3,4\n")

    assert found.cells["note"] == ["a,b", "3,4"]


def test_ids_with_commas_in_text_are_left_alone(tmp_path: Path) -> None:
    found = text(tmp_path, "id;mag_g\nNGC 1,2;21,5\nNGC 3;22,5\n")

    assert found.cells["id"] == ["NGC 1,2", "NGC 3"]


def test_quoted_texts_may_hold_separators(tmp_path: Path) -> None:
    for separator in (",", " "):
        found = text(tmp_path, in_columns(separator).replace("1", f'"a{separator}b"', 1))

        assert found.cells["id"][0] == f"a{separator}b"


def test_quoted_texts_may_go_on_in_the_next_line(tmp_path: Path) -> None:
    found = text(tmp_path, 'id,note,mag_g\n1,a,21\n2,"two\n\nlines, ""so""",22\n3,5" wide,23\n')

    assert found.cells["id"] == ["1", "2", "3"]
    assert found.numbers("mag_g") == [21, 22, 23]


def test_fields_padded_with_blanks_are_null_where_empty(tmp_path: Path) -> None:
    found = text(tmp_path, "id,mag_g,z_spec\n 1, 21.5,    \n 2,   nan, 0.5\n")

    assert found.cells["z_spec"] == [None, "0.5"]
    assert found.cells["mag_g"] == ["21.5", None]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-be", "cp1252", "latin-1"])
def test_other_encodings_are_read_and_named(tmp_path: Path, codec: str) -> None:
    content = in_columns(",").replace("1,", "Groß,", 1)
    content = "\ufeff" + content if codec == "utf-16-be" else content

    found = text(tmp_path, content, codec)

    assert found.cells["id"][0] == "Groß"
    assert tuple(found.columns) == NAMES
    assert (FindingCode.TEXT_ENCODING in found.codes) == (codec != "utf-8-sig")


def test_latin_letters_far_below_the_head_are_read(tmp_path: Path) -> None:
    rows = "".join(f"{k},21.5\n" for k in range(100_000))
    (tmp_path / "upload").write_bytes(f"id,mag_g\n{rows}".encode() + "Ö,22.5\n".encode("latin-1"))

    found = read_table(tmp_path / "upload", size=100_000)

    assert found.cells["id"][-1] == "Ö"
    assert len(found.cells["id"]) == 100_001


def test_letters_of_many_bytes_across_blocks_are_no_other_encoding(tmp_path: Path) -> None:
    content = "id,mag_g\n" + "".join(f"{'é' * 31}{k},21\n" for k in range(150_000))

    found = text(tmp_path, content)

    assert found.codes == set()
    assert len(found.cells["id"]) == 150_000


def test_utf_32_is_refused_by_its_name(tmp_path: Path) -> None:
    error = refused(tmp_path, in_columns(",").encode("utf-32"))

    assert "UTF-32" in error.message


def test_vizier_tables_have_units_and_a_rule_below_the_names(tmp_path: Path) -> None:
    content = (
        "#\n#   VizieR Astronomical Server\n#Column\tgmag\t(F6.3)\tMagnitude in g\n"
        "recno\tRAJ2000\tgmag\tzsp\n\tdeg\tmag\t\n------\t------\t------\t------\n"
        "     1\t150.25\t21.500\t0.5\n     2\t150.50\t22.500\t   \n"
    )

    found = text(tmp_path, content)

    assert found.units == {"RAJ2000": "deg", "gmag": "mag"}
    assert found.columns["gmag"].description == "Magnitude in g"
    assert found.cells["zsp"] == ["0.5", None]


def test_a_line_of_units_without_a_rule_is_no_row(tmp_path: Path) -> None:
    found = text(tmp_path, "id,flux_g,ra\n,uJy,deg\n1,3.5,150.1\n2,4.5,150.2\n")

    assert found.units == {"flux_g": "uJy", "ra": "deg"}
    assert found.cells["id"] == ["1", "2"]


def test_a_line_of_types_below_the_names_is_no_row(tmp_path: Path) -> None:
    found = text(tmp_path, "id,name,mag_g\nint64,str,float\n1,a,21.5\n2,b,22.5\n")

    assert found.cells["id"] == ["1", "2"]


def test_columns_may_be_called_like_numbers(tmp_path: Path) -> None:
    found = text(tmp_path, "id ra 606 814\n1 150.1 21.5 22.5\n2 150.2 23.5 24.5\n")

    assert tuple(found.columns) == ("id", "ra", "606", "814")


def test_a_first_row_with_gaps_is_no_header(tmp_path: Path) -> None:
    found = text(tmp_path, "# id mag_g mag_r z\n1 nan nan 0.5\n2 21.5 22.5 0.5\n")

    assert found.cells["id"] == ["1", "2"]


def test_a_rule_alone_below_the_names_is_no_row(tmp_path: Path) -> None:
    found = text(tmp_path, " id | mag_g\n----+-------\n 1  | 21.5\n 2  | 22.5\n")

    assert found.cells["id"] == ["1", "2"]


BORDERED = {
    "topcat": "+----+-------+\n| id | mag_g |\n+----+-------+\n| 1  | 21.5  |\n+----+-------+\n",
    "psql": " id | mag_g \n----+-------\n  1 |  21.5 \n(1 row)\n",
    "rst": "== =====\nid mag_g\n== =====\n1   21.5\n== =====\n",
    "markdown": "| id | mag_g |\n|----|-------|\n| 1 | 21.5 |\n",
    "rdb": "id\tmag_g\n2N\t5N\n1\t21.5\n",
    "excel": "sep=;\r\nid;mag_g\r\n1;21,5\r\n",
    "percent": "% made up\n% id mag_g\n1 21.5\n",
    "bang": "! id mag_g\n1 21.5\n",
    "numbered": "#1:id 2:mag_g\n1 21.5\n",
    "dos": "id,mag_g\r\n1,21.5\r\n\x1a",
}


@pytest.mark.parametrize("name", BORDERED)
def test_what_is_drawn_around_a_table_is_no_row(tmp_path: Path, name: str) -> None:
    found = text(tmp_path, BORDERED[name])

    assert tuple(found.columns) == ("id", "mag_g")
    assert found.numbers("mag_g") == [21.5]


def test_units_in_the_names_are_units(tmp_path: Path) -> None:
    found = text(tmp_path, "id,flux_g [uJy],mag_r(AB)\n1,3.5,21\n2,4.5,22\n")

    assert found.units == {"flux_g [uJy]": "uJy"}


@pytest.mark.parametrize("separator", [",", " ", ";"])
def test_a_line_with_another_number_of_fields_is_named(tmp_path: Path, separator: str) -> None:
    lines = in_columns(separator).splitlines()
    lines[2:2] = ["# a comment", ""]
    lines += [separator.join("123456"), lines[-1]]

    error = refused(tmp_path, "\n".join(lines) + "\n")

    assert error.code == "truncated-file"
    assert error.where == "line 7"
    assert "6 fields" in error.message
    assert "3" in error.message


def test_names_that_are_there_twice_are_told_and_left_out(tmp_path: Path) -> None:
    found = text(tmp_path, "id,flag,mag_g,flag\n1,a,21,b\n2,c,22,d\n")

    assert list(found.doubles) == ["flag"]
    assert tuple(found.columns) == ("id", "mag_g")
    assert found.numbers("mag_g") == [21, 22]


def test_columns_without_a_name_are_left_out(tmp_path: Path) -> None:
    assert tuple(text(tmp_path, ",id,mag_g\n0,1,21\n1,2,22\n").columns) == ("id", "mag_g")


def test_numbers_without_names_are_refused_by_their_line(tmp_path: Path) -> None:
    error = refused(tmp_path, "# a remark\n1 2 3\n4 5 6\n")

    assert (error.code, error.where) == ("not-a-table", "line 2")


def test_a_table_cannot_be_chosen_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "upload").write_text(in_columns(","))

    with pytest.raises(CatalogError) as caught:
        read_table(tmp_path / "upload", table="other")

    assert (caught.value.code, caught.value.where) == ("mapping-invalid", "table")


@pytest.mark.parametrize("separator", [",", " "])
def test_large_tables_come_in_batches_of_bounded_size(tmp_path: Path, separator: str) -> None:
    n = 300_000
    rows = "".join(separator.join((str(k), "21.5", "0.1")) + "\n" for k in range(n))
    (tmp_path / "upload").write_text(separator.join(NAMES) + "\n" + rows)

    found = read_table(tmp_path / "upload", "id", limits=IngestLimits(), size=10_000)

    assert found.cells["id"] == [str(k) for k in range(n)]


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_header_alone_has_no_rows_with_or_without_a_line_end(tmp_path: Path, end: str) -> None:
    found = text(tmp_path, ",".join(NAMES) + end)

    assert found.cells == {name: [] for name in NAMES}


def hashed(separator: str, every: int, n: int = 200) -> str:
    """Galaxies of which every so manieth has an id that begins like a comment."""
    rows = [
        separator.join((("#" if k % every == 0 else "") + str(1000 + k), "21.5", "0.1"))
        for k in range(n)
    ]
    return "\n".join([separator.join(NAMES), *rows, "# end, of", "# these, are 3"]) + "\n"


@pytest.mark.parametrize("separator", [",", " ", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_comments_that_are_shaped_like_rows_are_warned_of(
    tmp_path: Path, separator: str, end: str
) -> None:
    found = text(tmp_path, hashed(separator, 4).replace("\n", end))

    assert len(found.cells["id"]) == 150
    assert [finding.code for finding in found.findings] == [FindingCode.ROWS_MISSING]
    assert "50 lines" in found.findings[0].message


@pytest.mark.parametrize("separator", [",", " ", "\t"])
def test_rows_that_all_begin_like_comments_are_rows(tmp_path: Path, separator: str) -> None:
    found = text(tmp_path, hashed(separator, 1))

    assert found.cells["id"] == [f"#{1000 + k}" for k in range(200)]
    assert found.codes == set()


def test_comments_of_words_are_no_rows_that_are_missing(tmp_path: Path) -> None:
    lines = in_columns(",").splitlines()
    remarks = ["# by hand, in May, by us", "# 3, of, those", "#", "#,,"]

    assert text(tmp_path, "\n".join([*remarks, lines[0], *remarks, *lines[1:]])).codes == set()


@pytest.mark.parametrize(
    "title",
    [
        "Query results, 2024",
        "Results",
        "Results of a query",
        '"Results, by us"',
        "Results,,",
        "by A, B, and C",
        "Results, 2024\n\nby A, B, C, D, and E",
        "one, title, more",
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_a_title_above_the_header_is_no_header(tmp_path: Path, title: str, separator: str) -> None:
    found = text(tmp_path, title + "\n" + in_columns(separator))

    assert tuple(found.columns) == NAMES
    assert found.numbers("mag_g") == MAGS


def test_a_line_of_words_below_the_names_is_no_better_header(tmp_path: Path) -> None:
    found = text(tmp_path, "id,mag_g,class\na1,x,star\na2,y,star\na3,z,galaxy\n")

    assert tuple(found.columns) == ("id", "mag_g", "class")
