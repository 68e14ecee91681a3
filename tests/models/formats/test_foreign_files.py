"""Packed uploads are unpacked within a bound; what is no table says what it is."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather, ipc
from read_tables import read_table
from uploads import WRITERS, make_columns

from hbmlc_models.formats.errors import CatalogError
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.sniff import FileFormat, sniff


def refused(path: Path, content: bytes, **options: Any) -> CatalogError:
    (path / "upload").write_bytes(content)
    with pytest.raises(CatalogError) as caught:
        read_table(path / "upload", **options)
    return caught.value


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_any_format_may_be_packed_with_gzip(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / "plain", make_columns(50))
    packed = gzip.compress((tmp_path / "plain").read_bytes())
    (tmp_path / "upload").write_bytes(packed)

    found = read_table(tmp_path / "upload")

    assert sniff(tmp_path / "upload") is FileFormat(name)
    assert found.numbers("mag_g") == read_table(tmp_path / "plain").numbers("mag_g")


def test_gzip_in_several_parts_is_one_file(tmp_path: Path) -> None:
    parts = [gzip.compress(part) for part in (b"id,mag_g\n1,21\n", b"2,22\n", b"")]
    (tmp_path / "upload").write_bytes(b"".join(parts))

    assert read_table(tmp_path / "upload").cells["id"] == ["1", "2"]


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    content = gzip.compress(b"id,mag_g\n" + b"1,2\n" * 500_000)

    error = refused(tmp_path, content, limits=IngestLimits(max_unpacked_bytes=10**6))

    assert error.code == "file-too-demanding"


def test_a_small_file_does_not_unpack_to_gigabytes(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", compresslevel=1) as file:
        file.write(b"id,mag_g\n")
        for _ in range(300):
            file.write(b"1,2\n" * 2**18)

    assert refused(tmp_path, buffer.getvalue()).code == "file-too-demanding"


@pytest.mark.parametrize("at", [12, -4, -30])
def test_a_damaged_gzip_file_is_truncated(tmp_path: Path, at: int) -> None:
    rows = "".join(f"{k},{20 + k / 997}\n" for k in range(3_000))
    content = gzip.compress(f"id,mag_g\n{rows}".encode())

    assert refused(tmp_path, content[:at]).code == "truncated-file"


def test_gzip_within_gzip_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, gzip.compress(gzip.compress(b"id,x\n"))).code == "compressed-file"


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_feather_files_are_read(tmp_path: Path, compression: str) -> None:
    columns = make_columns(50)
    feather.write_feather(pa.table(columns), tmp_path / "upload", compression=compression)

    found = read_table(tmp_path / "upload", size=20)

    assert sniff(tmp_path / "upload") is FileFormat.FEATHER
    assert found.cells["mag_g"] == list(columns["mag_g"])


def test_arrow_streams_are_read(tmp_path: Path) -> None:
    table = pa.table(make_columns(50))
    with ipc.new_stream(tmp_path / "upload", table.schema) as stream:
        stream.write_table(table, max_chunksize=7)

    assert read_table(tmp_path / "upload").cells["mag_g"] == table["mag_g"].to_pylist()


def test_texts_of_arrow_as_dictionaries_are_read(tmp_path: Path) -> None:
    ids = pa.array(["a", "b", "a"]).dictionary_encode()
    feather.write_feather(pa.table({"id": ids, "mag_g": [1.0, 2.0, 3.0]}), tmp_path / "upload")

    assert read_table(tmp_path / "upload").cells["id"] == ["a", "b", "a"]


def test_long_texts_of_arrow_are_refused(tmp_path: Path) -> None:
    feather.write_feather(pa.table({"id": ["x" * 5_000], "mag_g": [1.0]}), tmp_path / "upload")

    with pytest.raises(CatalogError) as caught:
        read_table(tmp_path / "upload")

    assert (caught.value.code, caught.value.where) == ("file-too-demanding", "id")


@pytest.mark.parametrize("place", [0.3, 0.6, 0.95])
def test_a_cut_feather_file_is_truncated(tmp_path: Path, place: float) -> None:
    feather.write_feather(pa.table(make_columns(500)), tmp_path / "plain")
    content = (tmp_path / "plain").read_bytes()

    assert refused(tmp_path, content[: int(len(content) * place)]).code == "truncated-file"


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "id,mag_g\n")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"<html><body>504 Gateway</body></html>", "unknown-format", "HTML"),
        (b"\n <!DOCTYPE html>\n<title>Login</title>", "unknown-format", "web page"),
        (b"\xef\xbb\xbf<!doctype HTML>", "unknown-format", "HTML"),
        (b"<?xml version='1.0'?><error>no</error>", "unknown-format", "no VOTable"),
        (b'{"error": "no such table, sorry"}', "unknown-format", "JSON"),
        (b'[{"id": 1}]', "unknown-format", "JSON"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
            "unknown-format",
            "Git LFS",
        ),
        (zipped("a.csv"), "compressed-file", "zip"),
        (zipped("xl/workbook.xml"), "unknown-format", "spreadsheet"),
        (zipped("id.npy"), "unknown-format", "npz"),
        (b"SQLite format 3\x00" + bytes(90), "unknown-format", "SQLite"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'}", "unknown-format", "NumPy"),
        (b"FEA1" + bytes(20), "unknown-format", "version 1"),
        (b"%PDF-1.7\n1 0 obj", "unknown-format", "PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(9), "unknown-format", "PNG"),
        (b"#ASDF 1.0.0\n", "unknown-format", "ASDF"),
        (b"\xfd7zXZ\x00", "compressed-file", "xz"),
        (b"PAR1 and no footer", "truncated-file", "Parquet"),
        (b"ARROW1\x00\x00 and no footer", "truncated-file", "Arrow"),
        (b"i\x00d\x00,\x00x\x00\n\x00", "unknown-format", "UTF-16"),
        (b"\x00\x01\x02\x03", "unknown-format", "none of the formats"),
        (b"Not Found", "unknown-format", "none of the formats"),
    ],
)
def test_what_is_no_table_says_what_it_is(
    tmp_path: Path, content: bytes, code: str, said: str
) -> None:
    error = refused(tmp_path, content)

    assert error.code == code
    assert said in error.message
    assert len(error.message) > 30


@pytest.mark.parametrize("number", [0, 5, 199, 20_000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_nul_byte_in_a_text_is_named_by_its_line(tmp_path: Path, number: int, end: str) -> None:
    lines = ["id,mag_g,mag_err_g", *(f"{k},21.5,0.1" for k in range(30_000))]
    lines[number] = lines[number][:-1] + "\x00" + lines[number][-1:]
    (tmp_path / "upload").write_bytes(end.join(lines).encode())

    with pytest.raises(CatalogError) as caught:
        read_table(tmp_path / "upload")

    assert (caught.value.code, caught.value.where) == ("bad-text", f"line {number + 1}")
    assert "NUL" in caught.value.message
