"""What files say of their columns: units, vectors, masks and names that are there twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.io import fits, votable
from astropy.table import MaskedColumn, Table
from pyarrow import feather
from read_tables import read_table

from hbmlc_models.formats.errors import CatalogError
from hbmlc_models.formats.findings import FindingCode

UNITS = {"flux_g": "uJy", "flux_r": "nJy", "ra": "deg"}
VALUES = {"id": [1, 2, 3], "flux_g": [1.5, 2.5, 3.5], "flux_r": [4.5, 5.5, 6.5], "ra": [7.0] * 3}
Write = Callable[[Path], Any]


def table() -> Table:
    found = Table(VALUES)
    for name, unit in UNITS.items():
        found[name].unit = unit
    return found


def arrow() -> pa.Table:
    """The same with units in the metadata of the fields."""
    plain = pa.table(VALUES)
    fields = [
        field.with_metadata({"unit": UNITS[field.name]}) if field.name in UNITS else field
        for field in plain.schema
    ]
    return plain.cast(pa.schema(fields))


def voparquet(path: Path) -> None:
    fields = "".join(
        f'<FIELD name="{name}" datatype="double" unit="{UNITS.get(name, "")}"/>' for name in VALUES
    )
    document = f"<VOTABLE><RESOURCE><TABLE>{fields}</TABLE></RESOURCE></VOTABLE>"
    plain = pa.table(VALUES)
    metadata = {"IVOA.VOTable-Parquet.version": "1.0", "IVOA.VOTable-Parquet.content": document}
    pq.write_table(plain.replace_schema_metadata(metadata), path)


def hdf5_attributes(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, values in VALUES.items():
            file[f"cat/{name}"] = values
            if name in UNITS:
                file[f"cat/{name}"].attrs["units"] = UNITS[name]


WITH_UNITS: dict[str, Write] = {
    "fits": lambda path: table().write(path, format="fits"),
    "votable": lambda path: votable.from_table(table()).to_xml(str(path)),
    "astropy parquet": lambda path: table().write(path, format="parquet"),
    "astropy hdf5": lambda path: table().write(path, format="hdf5", path="x", serialize_meta=True),
    "parquet fields": lambda path: pq.write_table(arrow(), path),
    "feather fields": lambda path: feather.write_feather(arrow(), path),
    "voparquet": voparquet,
    "hdf5 attributes": hdf5_attributes,
    "ecsv": lambda path: table().write(path, format="ascii.ecsv"),
}


@pytest.mark.parametrize("name", WITH_UNITS)
def test_units_are_read_where_the_format_keeps_them(tmp_path: Path, name: str) -> None:
    WITH_UNITS[name](tmp_path / "upload")

    found = read_table(tmp_path / "upload")

    assert found.units == UNITS
    assert found.numbers("flux_r") == VALUES["flux_r"]


def test_units_of_magnitudes_are_text_as_the_file_has_it(tmp_path: Path) -> None:
    plain = table()
    plain["flux_g"].unit = u.mag(u.AB)
    plain.write(tmp_path / "upload", format="ascii.ecsv")

    assert "mag" in read_table(tmp_path / "upload").units["flux_g"]


@pytest.mark.parametrize(
    "document",
    [
        "datatype:\n- {name: flux_g, unit: !!python/object/apply:os.system [exit]}\n",
        "datatype:\n- !!python/name:os.system\n",
        "datatype:\n" + "- [" * 5_000,
        "datatype:\n- {name: &a [x], unit: *a}\n",
        "datatype: 7\n",
        "\x00",
    ],
)
def test_yaml_in_a_footer_makes_nothing(tmp_path: Path, document: str) -> None:
    plain = pa.table(VALUES).replace_schema_metadata({"table_meta_yaml": document})
    pq.write_table(plain, tmp_path / "upload")

    assert set(read_table(tmp_path / "upload").units) <= {"flux_g"}


def test_units_as_tagged_objects_are_units(tmp_path: Path) -> None:
    document = "datatype:\n- {name: flux_g, unit: !astropy.units.Unit {unit: uJy}}\nmeta: !!omap\n"
    plain = pa.table(VALUES).replace_schema_metadata({"table_meta_yaml": document})
    pq.write_table(plain, tmp_path / "upload")

    assert read_table(tmp_path / "upload").units == {"flux_g": "uJy"}


@pytest.mark.parametrize("document", ["<!DOCTYPE x [<!ENTITY a 'b'>]><VOTABLE/>", "<VOTABLE", ""])
def test_a_damaged_document_in_a_footer_says_nothing(tmp_path: Path, document: str) -> None:
    metadata = {"IVOA.VOTable-Parquet.content": document}
    pq.write_table(pa.table(VALUES).replace_schema_metadata(metadata), tmp_path / "upload")

    assert read_table(tmp_path / "upload").units == {}


VECTORS = np.arange(12.0).reshape(4, 3)


def vectors_fits(path: Path) -> None:
    columns = [
        fits.Column(name="id", format="K", array=np.arange(4)),
        fits.Column(name="FLUX", format="3D", unit="nJy", array=VECTORS),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(path)


def vectors_parquet(path: Path, kind: pa.DataType) -> None:
    flux = pa.array(VECTORS.tolist(), kind)
    pq.write_table(pa.table({"id": np.arange(4), "FLUX": flux}), path)


def vectors_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["cat/id"], file["cat/FLUX"] = np.arange(4), VECTORS


def vectors_records(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["cat"] = Table({"id": np.arange(4), "FLUX": VECTORS}).as_array()


def vectors_feather(path: Path) -> None:
    flux = pa.array(VECTORS.tolist(), pa.list_(pa.float64()))
    feather.write_feather(pa.table({"id": np.arange(4), "FLUX": flux}), path)


WITH_VECTORS: dict[str, Write] = {
    "fits": vectors_fits,
    "list": lambda path: vectors_parquet(path, pa.list_(pa.float64())),
    "large list": lambda path: vectors_parquet(path, pa.large_list(pa.float32())),
    "fixed list": lambda path: vectors_parquet(path, pa.list_(pa.float64(), 3)),
    "votable": lambda path: votable.from_table(Table({"id": np.arange(4), "FLUX": VECTORS})).to_xml(
        str(path)
    ),
    "hdf5": vectors_hdf5,
    "records": vectors_records,
    "feather": vectors_feather,
}


@pytest.mark.parametrize("size", [2, 1_000])
@pytest.mark.parametrize("name", WITH_VECTORS)
def test_elements_of_vectors_are_columns(tmp_path: Path, name: str, size: int) -> None:
    WITH_VECTORS[name](tmp_path / "upload")

    found = read_table(tmp_path / "upload", "FLUX[2]", "id", "FLUX[0]", size=size)

    assert found.cells["FLUX[0]"] == VECTORS[:, 0].tolist()
    assert found.cells["FLUX[2]"] == VECTORS[:, 2].tolist()
    assert found.cells["id"] == [0, 1, 2, 3]
    assert found.columns["FLUX"].n_elements is not None
    assert found.columns["FLUX"].n_elements >= 3
    assert found.columns["id"].n_elements is None


def test_lists_that_are_too_short_have_nothing_there(tmp_path: Path) -> None:
    flux = pa.array([[1.0, 2.0], [3.0], None, []], pa.list_(pa.float64()))
    pq.write_table(pa.table({"id": np.arange(4), "FLUX": flux}), tmp_path / "upload")

    found = read_table(tmp_path / "upload", "FLUX[1]", "FLUX[0]")

    assert found.cells["FLUX[1]"] == [2.0, None, None, None]
    assert found.cells["FLUX[0]"] == [1.0, 3.0, None, None]


def test_a_column_may_be_called_like_an_element(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1], "FLUX[0]": [2.5]}), tmp_path / "upload")

    assert read_table(tmp_path / "upload", "FLUX[0]").cells["FLUX[0]"] == [2.5]


def test_a_name_with_a_point_is_no_nested_column(tmp_path: Path) -> None:
    data = {"a": [1, 2], "a.b": [3, 4], "c.d": [5, 6]}
    pq.write_table(pa.table(data), tmp_path / "upload")

    assert read_table(tmp_path / "upload", "c.d", "a.b", "a").cells == data


def masked_table() -> Table:
    found = Table(VALUES)
    found["z_spec"] = MaskedColumn([0.5, 9.0, 0.7], mask=[False, True, False])
    return found


@pytest.mark.parametrize("name", ["parquet", "hdf5"])
def test_masks_of_astropy_make_values_null(tmp_path: Path, name: str) -> None:
    options = {"path": "x", "serialize_meta": True} if name == "hdf5" else {}
    masked_table().write(tmp_path / "upload", format=name, **options)

    found = read_table(tmp_path / "upload")

    assert "z_spec.mask" not in found.columns
    assert found.cells["z_spec"] == [0.5, None, 0.7]
    assert FindingCode.MASKS_USED in found.codes


def test_a_mask_alone_is_a_column_like_any_other(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1], "odd.mask": [True]}), tmp_path / "upload")

    found = read_table(tmp_path / "upload")

    assert found.cells["odd.mask"] == [True]
    assert found.findings == []


def test_a_mask_that_is_none_is_refused(tmp_path: Path) -> None:
    data = {"id": [1, 2], "z": [0.5, 0.6], "z.mask": ["maybe", "no"]}
    pq.write_table(pa.table(data), tmp_path / "upload")

    with pytest.raises(CatalogError) as caught:
        read_table(tmp_path / "upload")

    assert caught.value.where == "z.mask"


def doubled_fits(path: Path) -> None:
    columns = [
        fits.Column(name=name, format="K", array=[k, k + 1]) for k, name in enumerate(("a", "x1"))
    ]
    columns += [fits.Column(name="x2", format="D", array=[1.5, 2.5])]
    fits.BinTableHDU.from_columns(columns).writeto(path)
    content = path.read_bytes().replace(b"'x1      '", b"'x       '")
    path.write_bytes(content.replace(b"'x2      '", b"'x       '"))


def doubled_votable(path: Path) -> None:
    votable.from_table(Table({"a": [0, 1], "x1": [1, 2], "x2": [1.5, 2.5]})).to_xml(str(path))
    content = path.read_text().replace('name="x1"', 'name="x"')
    path.write_text(content.replace('name="x2"', 'name="x"'))


def doubled_arrow() -> pa.Table:
    return pa.Table.from_arrays([pa.array([0, 1]), pa.array([1, 2]), pa.array([2, 3])], list("axx"))


DOUBLED: dict[str, Write] = {
    "fits": doubled_fits,
    "votable": doubled_votable,
    "parquet": lambda path: pq.write_table(doubled_arrow(), path),
    "feather": lambda path: feather.write_feather(doubled_arrow(), path),
    "csv": lambda path: path.write_text("a,x,x\n0,1,2\n1,2,3\n"),
    "blanks": lambda path: path.write_text("a x x\n0 1 2\n1 2 3\n"),
}


@pytest.mark.parametrize("name", DOUBLED)
def test_a_name_that_is_there_twice_does_no_harm_where_unused(tmp_path: Path, name: str) -> None:
    DOUBLED[name](tmp_path / "upload")

    found = read_table(tmp_path / "upload")

    assert tuple(found.columns) == ("a",)
    assert list(found.doubles) == ["x"]
    assert found.numbers("a") == [0, 1]


@pytest.mark.parametrize("write", [pq.write_table, feather.write_feather])
@pytest.mark.parametrize(
    "nested",
    [
        pa.array([{"mag": 21.5, "err": 0.1}] * 3),
        pa.array([[[21.5]]] * 3),
        pa.array([["a", "b"]] * 3),
        pa.array([b"0123"] * 3, pa.binary(4)),
        pa.array([[("g", 21.5)]] * 3, pa.map_(pa.string(), pa.float64())),
    ],
)
def test_nested_arrow_columns_are_left_out_with_a_note(
    tmp_path: Path, write: Callable[[pa.Table, Path], Any], nested: pa.Array
) -> None:
    write(pa.table({**VALUES, "nested_g": nested}), tmp_path / "upload")

    found = read_table(tmp_path / "upload")

    assert set(found.columns) == set(VALUES)
    assert [finding.code for finding in found.findings] == [FindingCode.COLUMNS_LEFT_OUT]
    assert "nested_g" in found.findings[0].message
