"""Every fault of an upload has its own error, code and helpful sentence."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from uploads import WRITERS, make_columns, write_fits, write_hdf5, write_parquet, write_votable

from hbmlc_models.formats import CatalogError, ColumnMapping, IngestLimits, ingest
from hbmlc_models.formats import errors as tree


def fault(path: Path, **options: Any) -> CatalogError:
    """The error that the upload at ``path`` raises."""
    with pytest.raises(CatalogError) as caught:
        ingest(path, path.with_name("canonical.parquet"), **options)
    assert not path.with_name("canonical.parquet").exists()
    assert len(caught.value.message) > 30
    return caught.value


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", "id,mag_g\n")
    return buffer.getvalue()


def array_of_objects() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"\n \n", "empty-file"),
        (b"id,mag_g,mag_err_g\n", "empty-file"),
        (gzip.compress(gzip.compress(b"id,mag_g\n1,2\n")), "compressed-file"),
        (zipped(), "compressed-file"),
        (b"BZh91AY&SY", "compressed-file"),
        (b"\x28\xb5\x2f\xfd1234", "compressed-file"),
        (pickle.dumps({"id": [1]}), "pickled-data"),
        (array_of_objects(), "pickled-data"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "unknown-format"),
        (b'{"id": [1, 2]}', "unknown-format"),
        (b"just words\nwithout columns\n", "unknown-format"),
        (b"PAR1 but no footer", "truncated-file"),
        (b"PAR1" + bytes(40) + b"PAR1", "not-a-table"),
        (b"SIMPLE  =                    T", "truncated-file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "truncated-file"),
        (b"<?xml version='1.0'?><VOTABLE><RESOURCE>", "truncated-file"),
        (b"1.0,2.0\n3.0,4.0\n", "not-a-table"),
        (b"id,mag_g,mag_err_g,z_spec\n1,20,0.1,\n2,21,0.1\n", "truncated-file"),
        (b"id,mag_g,mag_g,mag_err_g\n1,20,20,0.1\n", "mapping-invalid"),
        (b"id,name\n1,a\n2,b\n", "no-band-recognised"),
        (b"mag_g,mag_err_g\n20,0.1\n21,0.1\n", "missing-ids"),
        (b"id,mag_g,mag_err_g\n1,20,0.1\n,21,0.1\n", "missing-ids"),
        (b"id,mag_g,mag_err_g\n1,20,0.1\n1,21,0.1\n", "duplicate-ids"),
        (b"id,mag_g,mag_err_g\na,20,0.1\na,21,0.1\n", "duplicate-ids"),
        (b"id,mag_g,mag_err_g\n99999999999999999999,20,0.1\n2,21,0.1\n", "integer-overflow"),
        (b"id,mag_g,mag_err_g\n1,bright,0.1\n2,faint,0.1\n", "mapping-invalid"),
        (b"id,mag_g,mag_err_g,selected\n1,20,0.1,maybe\n2,20,0.1,no\n", "mapping-invalid"),
        (b"id,mag_g\n1,20\n2,21\n", "bad-errors"),
        (b"id,mag_g,mag_err_g\n1,20,0\n2,21,-1\n", "bad-errors"),
        (b"id,mag_g,mag_err_g,z_spec\n1,20,0.1,-0.5\n2,21,0.1,77\n", "spec-z-out-of-range"),
        (b"id,mag_g,mag_err_g,ra,dec\n1,20,0.1,500,0\n2,21,0.1,0,91\n", "position-out-of-range"),
        (b"id,mag_g,mag_err_g,z_spec\n1,20,0.1,0.5\n", "too-few-galaxies"),
        (b"id,mag_g,mag_err_g,z_spec\n1,20,0.1,0.5\n2,21,0.1,0.7\n", "all-selected"),
    ],
)
def test_faulty_bytes_have_their_code(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "upload").write_bytes(content)

    assert fault(tmp_path / "upload").code == code


@pytest.mark.parametrize("name", ["parquet", "fits", "hdf5"])
def test_cut_off_files_are_truncated(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / "upload", make_columns(500))
    content = (tmp_path / "upload").read_bytes()
    (tmp_path / "upload").write_bytes(content[: len(content) * 2 // 3])

    assert fault(tmp_path / "upload").code == "truncated-file"


def test_a_damaged_parquet_page_is_not_a_crash(tmp_path: Path) -> None:
    write_parquet(tmp_path / "upload", make_columns(5000))
    content = bytearray((tmp_path / "upload").read_bytes())
    content[1000:2000] = bytes(1000)
    (tmp_path / "upload").write_bytes(content)

    assert fault(tmp_path / "upload").code in {"truncated-file", "bad-errors", "mapping-invalid"}


def test_too_many_rows_are_refused_before_they_are_read(tmp_path: Path) -> None:
    for name in ("parquet", "csv"):
        WRITERS[name](tmp_path / "upload", make_columns(60))

        assert fault(tmp_path / "upload", limits=IngestLimits(max_rows=50)).code == "too-many-rows"


def test_a_hundred_thousand_columns_are_refused(tmp_path: Path) -> None:
    names = [f"c{k}" for k in range(100_000)]
    (tmp_path / "upload").write_text(",".join(names) + "\n" + ",".join("1" * 100_000) + "\n")

    assert fault(tmp_path / "upload").code == "too-many-columns"


def test_image_without_table_is_no_table(tmp_path: Path) -> None:
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(tmp_path / "upload")

    assert fault(tmp_path / "upload").code == "not-a-table"


def test_hdf5_without_table_is_no_table(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "upload", "w") as file:
        file["image"] = np.zeros((4, 4))

    assert fault(tmp_path / "upload").code == "not-a-table"


def test_pickles_inside_hdf5_are_never_read(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "upload", make_columns(10))
    with h5py.File(tmp_path / "upload", "a") as file:
        data = file.create_dataset("evil", data=np.frombuffer(pickle.dumps([1]), dtype="u1"))
        data.attrs["PSEUDOATOM"] = b"object"

    assert fault(tmp_path / "upload").code == "pickled-data"


def test_hdf5_links_out_of_the_file_are_not_followed(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "secret.h5", make_columns(10))
    with h5py.File(tmp_path / "upload", "w") as file:
        file["photometry"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "photometry")

    assert fault(tmp_path / "upload").code == "outside-data"


def test_votable_entities_are_never_expanded(tmp_path: Path) -> None:
    write_votable(tmp_path / "upload", make_columns(5))
    text = (tmp_path / "upload").read_text()
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    (tmp_path / "upload").write_text(text.replace("<VOTABLE", bomb + "<VOTABLE", 1))

    assert fault(tmp_path / "upload").code == "outside-data"


def test_large_votable_is_refused_by_its_size(tmp_path: Path) -> None:
    write_votable(tmp_path / "upload", make_columns(50))

    assert fault(tmp_path / "upload", limits=IngestLimits(max_votable_bytes=99)).code == (
        "too-many-rows"
    )


def test_unsigned_ids_beyond_63_bits_overflow(tmp_path: Path) -> None:
    columns = make_columns(3) | {"id": np.array([1, 2, 2**63 + 5], dtype="u8")}
    for write in (write_parquet, write_fits):
        write(tmp_path / "upload", columns)

        assert fault(tmp_path / "upload").code == "integer-overflow"


def test_text_where_numbers_belong_names_the_column(tmp_path: Path) -> None:
    table = pa.table({**make_columns(3), "mag_g": ["a", "b", "c"]})
    pq.write_table(table, tmp_path / "upload")

    error = fault(tmp_path / "upload")

    assert (error.code, error.where) == ("mapping-invalid", "mag_g")


@pytest.mark.parametrize(
    "mapping",
    [
        ColumnMapping(id="nowhere"),
        ColumnMapping(mag={"g": "nowhere"}, mag_err={"g": "mag_err_g"}),
        ColumnMapping(extras={"size": "nowhere"}),
    ],
)
def test_mapping_to_a_missing_column_names_it(tmp_path: Path, mapping: ColumnMapping) -> None:
    write_parquet(tmp_path / "upload", make_columns(6))

    error = fault(tmp_path / "upload", mapping=mapping)

    assert (error.code, error.where) == ("mapping-invalid", "nowhere")


def test_an_unknown_flux_unit_is_refused(tmp_path: Path) -> None:
    write_parquet(tmp_path / "upload", make_columns(6))
    mapping = ColumnMapping(flux={"g": "mag_g"}, flux_err={"g": "mag_err_g"}, flux_unit="furlong")

    assert fault(tmp_path / "upload", mapping=mapping).where == "flux_unit"


@pytest.mark.parametrize(
    "document", [{"nonsense": "a"}, {"id": 3}, {"mag": "mag_g"}, {"zero_point": "x"}]
)
def test_a_wrong_mapping_document_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(tree.MappingInvalidError):
        ColumnMapping.from_dict(document)


def leaves(kind: type[CatalogError]) -> list[type[CatalogError]]:
    found = [leaf for child in kind.__subclasses__() for leaf in leaves(child)]
    return found or [kind]


def test_codes_are_distinct_and_exported() -> None:
    codes = [leaf.code for leaf in leaves(CatalogError)]

    assert len(set(codes)) == len(codes)
    assert {leaf.__name__ for leaf in leaves(CatalogError)} <= set(tree.__all__)


def test_failed_ingest_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "upload").write_bytes(b"id,mag_g,mag_err_g\n1,20,0\n2,21,-1\n")

    fault(tmp_path / "upload")

    assert [path.name for path in tmp_path.iterdir()] == ["upload"]
