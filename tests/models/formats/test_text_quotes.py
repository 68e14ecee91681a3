"""Quotes in text tables: a line break within them is text, and one that never ends is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from read_tables import Read, read_table

from hbmlc_models.formats.errors import CatalogError
from hbmlc_models.formats.limits import IngestLimits

N_ROWS = 200
HEADER = "id,ra,dec,mag_g,mag_err_g,z_spec"


def row(number: int, note: str, separator: str = ",") -> str:
    """One galaxy with a note at its end."""
    fields = (str(1000 + number), "150.1", "2.5", f"{20 + number / 100:.2f}", "0.05", "0.5", note)
    return separator.join(fields)


def rows(notes: dict[int, str], n: int = N_ROWS) -> list[str]:
    """Galaxies numbered from zero, most with the note ``ok``."""
    return [row(k, notes.get(k, "ok")) for k in range(n)]


def read(path: Path, lines: Sequence[str], *, end: str = "\n", codec: str = "utf-8") -> Read:
    """The table of a header and lines."""
    content = end.join([HEADER + ",note", *lines]) + end
    (path / "upload").write_bytes(content.encode(codec))
    return read_table(path / "upload", "id", "note", limits=IngestLimits(), size=10_000)


def refusal(path: Path, lines: Sequence[str], **written: str) -> CatalogError:
    """Error of a table that is refused."""
    with pytest.raises(CatalogError) as caught:
        read(path, lines, **written)
    return caught.value


@pytest.mark.parametrize(
    "notes",
    [
        {59: '"nearby', 159: '"nearby'},
        {59: '"nearby', 60: '"nearby'},
        {59: '"nearby', 60: '"closed"'},
        {59: '"nearby', 60: 'inner"'},
        {59: '"nearby', 199: 'far"'},
        {59: '"nearby'},
        {59: 'a,"nearby'},
        {199: '"nearby'},
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_quote_that_is_not_closed_is_refused_by_its_line(
    tmp_path: Path, notes: dict[int, str], end: str
) -> None:
    error = refusal(tmp_path, rows(notes), end=end)

    assert error.code == "truncated-file"
    assert error.where == f"line {min(notes) + 2}"


@pytest.mark.parametrize("codec", ["utf-16", "latin-1", "utf-8-sig"])
def test_an_unclosed_quote_is_seen_in_other_encodings(tmp_path: Path, codec: str) -> None:
    notes = {3: "é", 59: '"nearby', 159: '"nearby'}

    assert refusal(tmp_path, rows(notes), codec=codec).where == "line 61"


def test_unclosed_quotes_in_the_ids_are_refused(tmp_path: Path) -> None:
    lines = rows({})
    lines[10:12] = [f'"{line}' for line in lines[10:12]]

    assert refusal(tmp_path, lines).where == "line 12"


def test_two_quotes_of_which_one_is_not_closed_are_no_pair(tmp_path: Path) -> None:
    lines = rows({})
    lines[10] = lines[10].replace("1010", '10"10').replace("ok", '"nearby')

    assert refusal(tmp_path, lines).where == "line 12"


def test_unclosed_quotes_far_below_the_head_are_refused(tmp_path: Path) -> None:
    n = 200_000

    assert refusal(tmp_path, rows({150_000: '"a', 151_000: '"b'}, n)).where == "line 150002"


def test_a_comment_between_rows_may_hold_a_quote(tmp_path: Path) -> None:
    lines = rows({5: '"a\nb"'})
    lines.insert(50, '# the 5" telescope, "unclosed')

    assert len(read(tmp_path, lines).cells["id"]) == N_ROWS


@pytest.mark.parametrize(
    "note",
    ["a\n# b, c", "a\n\n\nb", "# a\n# b", "a, b\nc, d, e", 'so ""called""\nthing', "a\n+----+\nb"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_closed_texts_of_several_lines_are_texts(tmp_path: Path, note: str, end: str) -> None:
    quoted = note.replace("\n", end)
    found = read(tmp_path, rows(dict.fromkeys((0, 59, 60, 199), f'"{quoted}"')), end=end)

    assert found.cells["id"] == [str(1000 + k) for k in range(N_ROWS)]
    assert found.cells["note"][59] == note.replace('""', '"')


def test_texts_of_several_lines_across_blocks_are_texts(tmp_path: Path) -> None:
    n = 200_000
    found = read(tmp_path, rows(dict.fromkeys(range(0, n, 3), '"one\n# two, three"'), n))

    assert found.cells["id"] == [str(1000 + k) for k in range(n)]


def test_quotes_within_a_field_are_text(tmp_path: Path) -> None:
    found = read(tmp_path, rows({7: '5" wide', 8: "x", 9: '"so ""called"" one"'}))

    assert len(found.cells["id"]) == N_ROWS
    assert [found.cells["note"][k] for k in (7, 9)] == ['5" wide', 'so "called" one']


def test_a_wrong_row_below_a_text_of_two_lines_is_named_by_its_line(tmp_path: Path) -> None:
    lines = rows({5: '"a\nb"'})
    lines[20] += ",more"

    assert refusal(tmp_path, lines).where == "line 23"
