"""Uploads that point outside themselves or unfold: refused by what they declare, before a read."""

from __future__ import annotations

import random
import resource
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from hostile import (
    SECRET,
    csv_long_field,
    damaged,
    fits_endless_header,
    fits_wide_row,
    fits_wrong_stride,
    hdf5_external_storage,
    hdf5_huge_chunk,
    hdf5_link,
    hdf5_many_chunks,
    hdf5_shared_text,
    hdf5_virtual,
    hdf5_wide_text,
    hdf5_without_storage,
    parquet_repeated,
    parquet_shared_text,
    parquet_wide_binary,
    votable,
    votable_entities,
    votable_many_rows,
    votable_stream,
    votable_wide,
    write_secret,
)
from uploads import WRITERS, make_columns, write_hdf5, write_parquet, write_votable

from hbmlc_models.formats import CatalogError, ColumnMapping, ingest

MIB = 2**20


def fault(path: Path, mapping: ColumnMapping | None = None) -> CatalogError:
    """The error with which an upload is refused."""
    with pytest.raises(CatalogError) as caught:
        ingest(path, path.with_name("canonical"), mapping=mapping)
    assert not path.with_name("canonical").exists()
    return caught.value


def told(error: CatalogError) -> str:
    """All that is said about a fault."""
    return f"{error}{error.message}{error.where}{error.args}"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    return write_secret(tmp_path / "secrets.json")


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    return tmp_path / "upload"


@pytest.fixture
def requests() -> Iterator[tuple[str, list[str]]]:
    """A server's address, and the paths that were asked of it."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SECRET * 40)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/rows", seen
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("make", [hdf5_external_storage, hdf5_virtual])
def test_hdf5_values_in_another_file_are_refused(
    upload: Path, secret: Path, make: Callable[[Path, Path], Path]
) -> None:
    make(upload, secret)

    error = fault(upload)

    assert error.code == "outside-data"
    assert SECRET.decode() not in told(error)
    assert str(secret) not in told(error)


@pytest.mark.parametrize("whole_group", [False, True])
@pytest.mark.parametrize("kind", ["soft", "external"])
def test_hdf5_links_are_never_followed(
    upload: Path, tmp_path: Path, kind: str, *, whole_group: bool
) -> None:
    write_hdf5(tmp_path / "other.h5", make_columns(40))
    target = (
        h5py.SoftLink("/photometry/mag_g")
        if kind == "soft"
        else h5py.ExternalLink(str(tmp_path / "other.h5"), "photometry/id")
    )
    hdf5_link(upload, target, whole_group=whole_group)

    assert fault(upload).code == "outside-data"


def test_hdf5_external_storage_that_nobody_asked_for_is_refused_too(
    upload: Path, secret: Path
) -> None:
    write_hdf5(upload, make_columns(40))
    with h5py.File(upload, "a") as file:
        file.create_dataset("deep/down/x", (3,), "u1", external=[(str(secret), 0, 3)])

    assert fault(upload).code == "outside-data"


def test_hdf5_groups_in_a_circle_end(upload: Path) -> None:
    write_hdf5(upload, make_columns(40))
    with h5py.File(upload, "a") as file:
        file["photometry/again"] = file["/"]

    assert ingest(upload, upload.with_name("canonical")).n_rows == 40


@pytest.mark.parametrize("serialisation", ["BINARY", "BINARY2", "FITS", "PARQUET"])
def test_votable_files_are_never_opened(upload: Path, secret: Path, serialisation: str) -> None:
    votable_stream(upload, secret.as_uri(), serialisation=serialisation)

    error = fault(upload)

    assert error.code == "outside-data"
    assert SECRET.decode()[:6] not in told(error)
    assert str(secret) not in told(error)


@pytest.mark.parametrize("serialisation", ["BINARY", "BINARY2", "FITS", "PARQUET"])
def test_votable_addresses_are_never_fetched(
    upload: Path, requests: tuple[str, list[str]], serialisation: str
) -> None:
    address, seen = requests
    votable_stream(upload, address, serialisation=serialisation)

    assert fault(upload).code == "outside-data"
    assert seen == []


def test_votable_documentation_links_do_no_harm(upload: Path) -> None:
    write_votable(upload, make_columns(40))
    text = upload.read_text()
    link = '<LINK href="http://example.org/catalogue"/>'
    upload.write_text(text.replace('<FIELD ID="id"', f'{link}<FIELD ID="id"', 1))

    assert ingest(upload, upload.with_name("canonical")).n_rows == 40


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_votable_entities_are_refused_wherever_they_stand(upload: Path, codec: str) -> None:
    votable_entities(upload)
    text = upload.read_text().replace(' version="1.0"?', f' version="1.0" encoding="{codec}"?')
    upload.write_bytes(text.encode(codec))

    assert fault(upload).code in {"outside-data", "unknown-format"}


BOMBS: list[tuple[Callable[[Path], Path], str]] = [
    (hdf5_wide_text, "file-too-demanding"),
    (hdf5_huge_chunk, "file-too-demanding"),
    (hdf5_many_chunks, "file-too-demanding"),
    (hdf5_shared_text, "file-too-demanding"),
    (hdf5_without_storage, "file-too-demanding"),
    (parquet_shared_text, "file-too-demanding"),
    (parquet_repeated, "file-too-demanding"),
    (parquet_wide_binary, "missing-ids"),
    (votable_wide, "file-too-demanding"),
    (votable_many_rows, "too-many-rows"),
    (fits_wide_row, "file-too-demanding"),
    (fits_endless_header, "file-too-demanding"),
    (fits_wrong_stride, "not-a-table"),
    (csv_long_field, "file-too-demanding"),
]


@pytest.mark.parametrize(("make", "code"), BOMBS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_file_that_unfolds_is_refused_before_it_does(
    upload: Path, make: Callable[[Path], Path], code: str
) -> None:
    make(upload)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    error = fault(upload)

    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert error.code == code
    assert grown < 128 * MIB


@pytest.mark.parametrize("arraysize", ["10000x10000", "99999999*", "4000000000x4000000000"])
def test_votable_widths_of_several_axes_are_multiplied(upload: Path, arraysize: str) -> None:
    votable_wide(upload, width=arraysize)

    assert fault(upload).code == "file-too-demanding"


def test_votable_rows_are_held_against_the_size_of_the_document(upload: Path) -> None:
    fields = '<FIELD name="wide" datatype="double" arraysize="8000"/>'
    upload.write_bytes(votable(fields, f"<TABLEDATA>{'<TR/>' * 20_000}</TABLEDATA>"))

    assert fault(upload).code == "file-too-demanding"


def test_hdf5_chunks_as_long_as_allowed_are_unpacked_once(upload: Path) -> None:
    n = 1_000_000
    with h5py.File(upload, "w") as file:
        for name, values in make_columns(n).items():
            file.create_dataset(name, data=values, chunks=(n,), compression="gzip")

    assert ingest(upload, upload.with_name("canonical")).n_rows == n


def test_hdf5_plug_in_filters_are_refused(upload: Path) -> None:
    write_hdf5(upload, make_columns(40))
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((40,))
    for _ in range(5):
        plan.set_deflate(9)
    with h5py.File(upload, "a") as file:
        space = h5py.h5s.create_simple((40,))
        h5py.h5d.create(file["photometry"].id, b"x", h5py.h5t.NATIVE_DOUBLE, space, plan)

    assert fault(upload).code == "not-a-table"


CELL = "c0ffee-in-a-cell"


def faulty_csv(values: str, header: str = "id,mag_g,mag_err_g,selected,tile") -> bytes:
    good = "\n".join(f"{k},20,0.1,{k % 2},{k % 2}" for k in range(1, 30))
    return f"{header}\n{good}\n{values}\n".encode()


@pytest.mark.parametrize(
    "content",
    [
        faulty_csv(f"30,{CELL},0.1,1,1"),
        faulty_csv(f"30,20,0.1,{CELL},1"),
        faulty_csv(f"{CELL},20,0.1,1,1\n{CELL},20,0.1,1,1"),
        faulty_csv(f"30,20,0.1,1,1,{CELL}"),
        faulty_csv(f"30,20,{CELL}"),
        faulty_csv(f"30,20,0.1,1,{CELL * 20}"),
        faulty_csv(f"{CELL * 20},20,0.1,1,1"),
        faulty_csv(f"{CELL}\x00,20,0.1,1,1"),
        faulty_csv(f'"{CELL}{"x" * 5 * MIB}",20,0.1,1,1'),
    ],
    ids=["number", "flag", "duplicate", "more", "fewer", "tile", "long", "control", "line"],
)
def test_no_cell_is_repeated_to_anybody(upload: Path, content: bytes) -> None:
    upload.write_bytes(content)

    assert CELL not in told(fault(upload, ColumnMapping(tile="tile")))


def test_a_bad_number_is_told_by_its_row(upload: Path) -> None:
    upload.write_bytes(faulty_csv(f"30,{CELL},0.1,1,1"))

    assert "row 30" in fault(upload).message


def test_duplicate_ids_are_told_by_their_rows(upload: Path) -> None:
    for ids in ("7", "seven"):
        rows = [f"a{k}" if ids == "seven" else str(k) for k in range(100, 120)]
        rows[3] = rows[11] = ids
        text = "\n".join(f"{id_},20,0.1,{k % 2}" for k, id_ in enumerate(rows))
        upload.write_text(f"id,mag_g,mag_err_g,selected\n{text}\n")

        error = fault(upload)

        assert error.code == "duplicate-ids"
        assert "rows 4 and 12" in error.message
        assert error.where == "id"


def with_id(value: Any) -> dict[str, Any]:
    return make_columns(3) | {"id": ["a", "b", value]}


@pytest.mark.parametrize("value", ["x\x00y", "x\ny", "x\x1fy", "\x7f"])
def test_control_characters_in_ids_are_refused_by_row(upload: Path, value: str) -> None:
    write_parquet(upload, with_id(value))

    error = fault(upload)

    assert error.code == "bad-text"
    assert "Row 3" in error.message


@pytest.mark.parametrize("stored", [b"\xed\xa0\x80", b"\xff\xfe", b"a\xc3"])
def test_text_that_is_no_utf8_is_refused(upload: Path, stored: bytes) -> None:
    ids = pa.array([b"a", b"b", stored], pa.binary()).view(pa.string())
    write_parquet(upload, make_columns(3) | {"id": ids})

    assert fault(upload).code == "bad-text"


def test_nul_in_an_id_beyond_the_head_of_a_text_table_is_refused(upload: Path) -> None:
    rows = "".join(f"g{k},20,0.1,{k % 2}\n" for k in range(10_000))
    upload.write_bytes(f"id,mag_g,mag_err_g,selected\n{rows}x\x00,20,0.1,1\n".encode())

    assert fault(upload).code == "bad-text"


@pytest.mark.parametrize("name", ["mag_z\x00", "mag_z\nb", "mag_z" * 100, "mag_\x7f"])
def test_columns_with_unprintable_names_are_as_if_not_there(upload: Path, name: str) -> None:
    write_parquet(upload, make_columns(40) | {name: np.ones(40)})

    report = ingest(upload, upload.with_name("canonical"))

    assert report.bands == ("g", "r", "i")
    assert name not in str(report.as_dict())


def test_what_is_said_of_names_is_short_and_printable(upload: Path) -> None:
    write_parquet(upload, {f"{k}\x00\ud7ff\x1b[31m" + "x" * 5_000: [1.0, 2.0] for k in range(9)})

    error = fault(upload, ColumnMapping(id="\x00\ud800" + "y" * 10_000))

    assert error.message.isprintable()
    assert len(error.message) <= 1_000
    assert error.where is None or (error.where.isprintable() and len(error.where) <= 200)


def test_a_mapping_of_fluxes_to_a_missing_column_names_it(upload: Path) -> None:
    write_parquet(upload, make_columns(40))

    error = fault(upload, ColumnMapping(flux={"g": "nowhere"}, flux_err={"g": "mag_err_g"}))

    assert (error.code, error.where) == ("mapping-invalid", "nowhere")


def test_double_columns_have_their_error(upload: Path) -> None:
    columns = make_columns(5)
    names = [*columns, "mag_g"]
    pq.write_table(pa.Table.from_arrays([*columns.values(), columns["mag_g"]], names), upload)

    assert fault(upload).code == "mapping-invalid"


def test_fits_data_beyond_the_end_of_the_file_are_truncated(upload: Path) -> None:
    fits.BinTableHDU.from_columns([fits.Column(name="id", format="K", array=[1, 2])]).writeto(
        upload
    )
    content = upload.read_bytes()
    card = b"NAXIS2  =                    2"
    upload.write_bytes(content.replace(card, b"NAXIS2  =             40000000"))

    assert fault(upload).code == "truncated-file"


def test_parquet_columns_whose_names_are_no_utf8_are_refused(upload: Path) -> None:
    write_parquet(upload, make_columns(5))
    upload.write_bytes(upload.read_bytes().replace(b"mag_g", b"mag_\xff"))

    assert fault(upload).code == "not-a-table"


def test_votable_in_an_unknown_encoding_is_refused(upload: Path) -> None:
    write_votable(upload, make_columns(5))
    upload.write_bytes(upload.read_bytes().replace(b'"utf-8"', b'"rot13"', 1))

    assert fault(upload).code in {"not-a-table", "truncated-file"}


@pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyUserWarning")
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", sorted(WRITERS))
def test_damage_anywhere_has_an_error_of_ours(upload: Path, name: str, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 -- damage has to be the same each time
    ids = {} if seed == 1 else {"id": [f"g{k}" for k in range(60)]}
    WRITERS[name](upload, make_columns(60) | ids)
    content = upload.read_bytes()
    faults: list[str] = []
    for _ in range(150):
        upload.write_bytes(damaged(content, rng))

        try:
            ingest(upload, upload.with_name("canonical"))
        except (CatalogError, MemoryError) as error:
            faults.append(type(error).__name__)

    assert len(faults) > 10


@pytest.mark.parametrize("size", [0, 2**64 - 40])
def test_a_heap_that_the_library_would_never_leave_is_refused(upload: Path, size: int) -> None:
    with h5py.File(upload, "w") as file:
        file["photometry/name"] = [f"g{k}" for k in range(40)]
        for name, values in make_columns(40).items():
            file[f"photometry/{name}"] = values
    content = bytearray(upload.read_bytes())
    place = content.index(b"GCOL") + 16
    content[place : place + 16] = bytes(8) + size.to_bytes(8, "little")
    upload.write_bytes(content)

    assert fault(upload).code == "truncated-file"


@pytest.mark.parametrize(
    "content",
    [
        b"-" * 2 * MIB + b"x\n1,2\n",
        b"id,mag" + b"(" * MIB + b"\n1,2\n",
        b"# 1 a " + b" [" * MIB + b"\n1 2\n",
        b"# " + b" " * 2 * MIB + b"x\n1 2\n",
        b"Byte-by-byte Description\n----\n----\n" + b" " * 2 * MIB + b"x\n----\n1\n",
        b"id mag\n1 2\n" + b'"' * MIB + b" x\n",
        b"# a b\n" * 200_000 + b"1 2\n",
        b"id,mag\n" + b",\n" * MIB,
    ],
    ids=["border", "name", "bracket", "blanks", "bytes", "quotes", "comments", "separators"],
)
def test_texts_that_tire_a_pattern_are_judged_quickly(upload: Path, content: bytes) -> None:
    upload.write_bytes(content)
    before = time.process_time()

    fault(upload)

    assert time.process_time() - before < 8.0


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_virtual_datasets_are_never_opened(
    upload: Path, secret: Path, monkeypatch: pytest.MonkeyPatch, libver: str
) -> None:
    with h5py.File(upload, "w", libver=libver) as file:
        for name, values in make_columns(40).items():
            file[f"photometry/{name}"] = values
        layout = h5py.VirtualLayout(shape=(40,), dtype="i8")
        layout[:] = h5py.VirtualSource(str(secret), "ids", shape=(40,))
        file.create_virtual_dataset("photometry/seen", layout)
    opened: list[str] = []
    get = h5py.Group.__getitem__

    def noted(group: h5py.Group, name: str) -> Any:
        opened.append(name)
        return get(group, name)

    monkeypatch.setattr(h5py.Group, "__getitem__", noted)

    assert fault(upload).code == "outside-data"
    assert "seen" not in opened
