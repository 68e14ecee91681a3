"""Of several tables in a file the one that looks like a catalogue is taken, or the one asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits, votable
from astropy.table import Table
from read_tables import read_table

from hbmlc_models.formats.errors import CatalogError
from hbmlc_models.formats.findings import FindingCode, Severity

N = 30


def photometry(n: int = N) -> dict[str, np.ndarray]:
    """Galaxies."""
    return {"id": np.arange(n), "mag_g": np.linspace(20, 24, n), "mag_err_g": np.full(n, 0.1)}


def randoms(n: int = 4 * N) -> dict[str, np.ndarray]:
    """Points without photometry, more than there are galaxies."""
    return {"ra": np.linspace(0, 9, n), "dec": np.zeros(n)}


def write_fits(path: Path, **tables: dict[str, np.ndarray]) -> None:
    units = [fits.PrimaryHDU()]
    units += [fits.BinTableHDU(Table(data), name=name) for name, data in tables.items()]
    fits.HDUList(units).writeto(path)


def write_hdf5(path: Path, **tables: dict[str, np.ndarray]) -> None:
    with h5py.File(path, "w") as file:
        for name, data in tables.items():
            for column, values in data.items():
                file[f"{name}/{column}"] = values


def write_votable(path: Path, **tables: dict[str, np.ndarray]) -> None:
    document = votable.tree.VOTableFile()
    for name, data in tables.items():
        resource = votable.tree.Resource()
        part = votable.from_table(Table(data)).get_first_table()
        part.name = name
        resource.tables.append(part)
        document.resources.append(resource)
    document.to_xml(str(path))


Write = Callable[..., None]
every_format = pytest.mark.parametrize("write", [write_fits, write_hdf5, write_votable])


@every_format
@pytest.mark.parametrize("is_last", [False, True])
def test_the_table_with_bands_is_found_wherever_it_is(
    tmp_path: Path, write: Write, *, is_last: bool
) -> None:
    tables = {"GALAXIES": photometry(), "RANDOMS": randoms()}
    write(tmp_path / "upload", **dict(sorted(tables.items(), reverse=is_last)))

    found = read_table(tmp_path / "upload")

    assert set(found.columns) == set(photometry())
    assert len(found.cells["id"]) == N
    (finding,) = found.findings
    assert (finding.code, finding.severity) == (FindingCode.TABLE_CHOSEN, Severity.NOTE)
    assert "GALAXIES" in finding.message
    assert finding.mapping == {"table": "RANDOMS"}


@every_format
def test_the_table_that_is_asked_for_is_taken(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "upload", GALAXIES=photometry(), RANDOMS=randoms())

    for name in ("RANDOMS", "randoms"):
        found = read_table(tmp_path / "upload", table=name)

        assert set(found.columns) == {"ra", "dec"}
        assert found.findings == []


@pytest.mark.parametrize(("write", "number"), [(write_fits, 2), (write_votable, 2)])
def test_tables_are_asked_for_by_number_too(tmp_path: Path, write: Write, number: int) -> None:
    write(tmp_path / "upload", GALAXIES=photometry(), RANDOMS=randoms())

    for table in (number, str(number)):
        assert set(read_table(tmp_path / "upload", table=table).columns) == {"ra", "dec"}


@every_format
def test_a_table_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, write: Write
) -> None:
    write(tmp_path / "upload", GALAXIES=photometry(), RANDOMS=randoms())

    for table in ("elsewhere", 77):
        with pytest.raises(CatalogError) as caught:
            read_table(tmp_path / "upload", table=table)

        assert (caught.value.code, caught.value.where) == ("mapping-invalid", "table")
        assert "GALAXIES" in caught.value.message
        assert "RANDOMS" in caught.value.message


@every_format
def test_two_tables_that_look_alike_are_both_named(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "upload", FIRST=photometry(), SECOND=photometry())

    (finding,) = read_table(tmp_path / "upload").findings

    assert "FIRST" in finding.message
    assert "SECOND" in finding.message


@every_format
def test_a_single_table_needs_no_word(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "upload", GALAXIES=photometry())

    assert read_table(tmp_path / "upload").findings == []


def test_the_catalogue_of_an_ldac_file_lies_behind_its_fields(tmp_path: Path) -> None:
    fields = {"FITSFILE": np.array(["image"]), "OBJECT_COUNT": np.array([N])}
    write_fits(tmp_path / "upload", FIELDS=fields, OBJECTS=photometry())

    assert len(read_table(tmp_path / "upload").cells["mag_g"]) == N


def test_hdf5_datasets_of_records_are_asked_for_by_path(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "upload", "w") as file:
        for name in ("a/first", "a/second"):
            file[name] = Table(photometry()).as_array()

    for name in ("a/second", "/a/second", "second"):
        assert len(read_table(tmp_path / "upload", table=name).cells["id"]) == N


def test_fits_tables_written_as_text_are_read(tmp_path: Path) -> None:
    columns = [
        fits.Column(name="id", format="I6", array=np.arange(3), ascii=True),
        fits.Column(name="name", format="A4", array=["a", "b c", "d"], ascii=True),
        fits.Column(name="mag_g", format="F8.3", unit="mag", array=[21.5, 22.5, 23.5], ascii=True),
        fits.Column(name="flux_r", format="E12.4", array=[1.5, 2.5, 3.5], ascii=True),
    ]
    fits.TableHDU.from_columns(columns).writeto(tmp_path / "upload")

    found = read_table(tmp_path / "upload")

    assert found.cells["id"] == [0, 1, 2]
    assert found.cells["name"] == ["a", "b c", "d"]
    assert found.cells["mag_g"] == [21.5, 22.5, 23.5]
    assert found.cells["flux_r"] == [1.5, 2.5, 3.5]
    assert found.units == {"mag_g": "mag"}


def test_fits_columns_without_a_name_are_called_by_their_number(tmp_path: Path) -> None:
    columns = [fits.Column(name=name, format="K", array=[1, 2]) for name in ("id", "more")]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "upload")
    content = (tmp_path / "upload").read_bytes()
    (tmp_path / "upload").write_bytes(content.replace(b"TTYPE2", b"OTYPE2"))

    assert tuple(read_table(tmp_path / "upload").columns) == ("id", "col2")


def frame() -> pd.DataFrame:
    """Galaxies with a named index, numbers of two types and texts."""
    return pd.DataFrame(photometry() | {"flag": np.arange(N) % 2 == 0}).set_index("id")


@pytest.mark.parametrize("form", ["fixed", "table", "data columns"])
def test_pandas_frames_come_out_with_their_columns(tmp_path: Path, form: str) -> None:
    options = {"format": form} if form != "data columns" else {"format": "table"}
    frame().to_hdf(
        tmp_path / "upload",
        key="cat",
        data_columns=True if form == "data columns" else None,
        **options,
    )

    found = read_table(tmp_path / "upload")

    assert tuple(found.columns) == ("id", "mag_g", "mag_err_g", "flag")
    assert found.cells["id"] == list(range(N))
    assert found.cells["mag_g"] == list(photometry()["mag_g"])


def test_texts_in_a_pandas_table_are_read(tmp_path: Path) -> None:
    frame().assign(name="NGC").to_hdf(tmp_path / "upload", key="cat", format="table")

    assert read_table(tmp_path / "upload", "name").cells["name"] == ["NGC"] * N


def test_pickled_columns_of_pandas_are_left_out_and_named(tmp_path: Path) -> None:
    frame().assign(name="NGC").to_hdf(tmp_path / "upload", key="cat", format="fixed")

    found = read_table(tmp_path / "upload")

    assert "name" not in found.columns
    assert found.codes == {FindingCode.COLUMNS_LEFT_OUT}
    assert "name" in found.findings[0].message


def test_vaex_columns_are_groups_of_their_own(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "upload", "w") as file:
        for name, values in photometry().items():
            file[f"table/columns/{name}/data"] = values
        file["table/columns/mag_g"].attrs["unit"] = "mag"
        file["table/columns/mag_g/mask"] = np.arange(N) == 3
        file["table/columns/text/data"] = np.zeros(99, "u1")
        file["table/columns/text/indices"] = np.zeros(N + 1, "i8")

    found = read_table(tmp_path / "upload")

    assert tuple(sorted(found.columns)) == ("id", "mag_err_g", "mag_g")
    assert found.units == {"mag_g": "mag"}
    assert found.cells["mag_g"][3] is None
    assert found.codes == {FindingCode.COLUMNS_LEFT_OUT, FindingCode.MASKS_USED}


@pytest.mark.parametrize("write", [write_fits, write_votable])
def test_archives_that_cut_a_table_are_told(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "upload", GALAXIES=photometry())
    content = (tmp_path / "upload").read_bytes()
    info = b'<INFO name="QUERY_STATUS" value="OVERFLOW"/></RESOURCE>'
    (tmp_path / "upload").write_bytes(content.replace(b"</RESOURCE>", info))

    codes = read_table(tmp_path / "upload").codes

    assert codes == ({FindingCode.ROWS_MISSING} if write is write_votable else set())


@pytest.mark.parametrize(
    "info",
    [
        '<INFO name="QUERY_STATUS" value="ERROR">Unknown\n column <b/>"magg"</INFO>',
        """<INFO ID="Error" name="Error" value='Unknown column "magg"'/>""",
    ],
)
def test_the_error_of_an_archive_is_shown(tmp_path: Path, info: str) -> None:
    (tmp_path / "upload").write_text(
        '<?xml version="1.0"?><VOTABLE version="1.3"><RESOURCE type="results">'
        f"{info}</RESOURCE></VOTABLE>"
    )

    with pytest.raises(CatalogError) as caught:
        read_table(tmp_path / "upload")

    assert caught.value.code == "not-a-table"
    assert 'Unknown column "magg"' in caught.value.message
