"""Small catalogues of every kind that is read, for the fuzz of files to damage."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits, votable
from astropy.table import MaskedColumn, Table
from pyarrow import feather, ipc

__all__ = ["write_seeds"]

N = 40
Write = Callable[[Path], Any]


def _columns() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {"id": np.arange(N) + 100, "tile": np.arange(N) % 3}
    for band in "gri":
        columns[f"mag_{band}"] = rng.uniform(18, 26, N)
        columns[f"mag_err_{band}"] = rng.uniform(0.01, 0.3, N)
    columns["z_spec"] = np.where(np.arange(N) % 3 == 1, rng.uniform(0.1, 2, N), np.nan)
    return columns


def _table() -> Table:
    table = Table(_columns())
    table["name"] = [f"g{k}" for k in range(N)]
    table["z_spec"] = MaskedColumn(table["z_spec"], mask=np.arange(N) % 5 == 0)
    table["mag_g"].unit = "mag"
    table["FLUX"] = np.ones((N, 3))
    return table


def _arrow() -> pa.Table:
    table = pa.table(_columns())
    lists = pa.array([[1.0, 2.0, 3.0]] * N)
    names = pa.array([f"g{k % 7}" for k in range(N)])
    return table.append_column("FLUX", lists).append_column("name", names.dictionary_encode())


def _flat() -> Table:
    table = _table()
    table.remove_column("FLUX")
    return table


def _fits_units(path: Path) -> None:
    fields = fits.BinTableHDU(Table({"FITSFILE": ["a"], "COUNT": [N]}), name="FIELDS")
    objects = fits.BinTableHDU(_table(), name="OBJECTS")
    unsigned = fits.Column(name="u", format="K", bzero=2**63, array=np.arange(N, dtype="u8"))
    more = fits.BinTableHDU.from_columns([unsigned], name="MORE")
    fits.HDUList([fits.PrimaryHDU(np.zeros((3, 3))), fields, objects, more]).writeto(path)


def _fits_text(path: Path) -> None:
    columns = [
        fits.Column(name=name, format="I8" if name in {"id", "tile"} else "E15.7", array=values)
        for name, values in _columns().items()
    ]
    fits.TableHDU.from_columns(columns).writeto(path)


def _hdf5(path: Path, **options: Any) -> None:
    with h5py.File(path, "w") as file:
        for name, values in _columns().items():
            data = file.create_dataset(f"photometry/{name}", data=values, **options)
            data.attrs["unit"] = "mag"
        file["photometry/FLUX"] = np.ones((N, 3))
        file["photometry/name"] = [f"g{k}" for k in range(N)]
        file["randoms/ra"] = np.zeros(4 * N)


def _hdf5_latest(path: Path) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        for name, values in _columns().items():
            file.create_dataset(f"photometry/{name}", data=values, chunks=(16,))


def _vaex(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, values in _columns().items():
            file[f"table/columns/{name}/data"] = values
        file["table/columns/z_spec/mask"] = np.zeros(N, "u1")


def _pandas(path: Path) -> None:
    columns = _columns()
    floats = [name for name in columns if columns[name].dtype.kind == "f"]
    with h5py.File(path, "w") as file:
        group = file.create_group("cat")
        group.attrs["pandas_type"] = np.bytes_(b"frame")
        group["axis1"] = np.arange(N)
        group["block0_items"] = np.array(floats, "S")
        group["block0_values"] = np.column_stack([columns[name] for name in floats])
        group["block1_items"] = np.array(["id", "tile"], "S")
        group["block1_values"] = np.column_stack([columns["id"], columns["tile"]])


def _pandas_table(path: Path) -> None:
    columns = _columns()
    floats = [name for name in columns if columns[name].dtype.kind == "f"]
    kind = [("index", "i8"), ("values_block_0", "f8", (len(floats),)), ("id", "i8")]
    records = np.zeros(N, kind)
    records["id"] = columns["id"]
    records["values_block_0"] = np.column_stack([columns[name] for name in floats])
    names = "(lp0\n" + "".join(f"V{name}\np1\na" for name in floats) + "."
    with h5py.File(path, "w") as file:
        file.create_group("cat").attrs["pandas_type"] = np.bytes_(b"frame_table")
        file["cat/table"] = records
        file["cat/table"].attrs["values_block_0_kind"] = np.bytes_(names.encode())


def _votable(path: Path, serialisation: str) -> None:
    document = votable.from_table(_table())
    document.get_first_table().format = serialisation
    document.to_xml(str(path))


def _stream(path: Path) -> None:
    table = _arrow()
    with ipc.new_stream(path, table.schema) as stream:
        stream.write_table(table, max_chunksize=16)


def _text(path: Path, separator: str = ",", *, comment: str = "", last: str = "") -> None:
    columns = _columns()
    lines = [comment + separator.join(columns)]
    rows = zip(*columns.values(), strict=True)
    lines += [separator.join(map(str, row)) + last for row in rows]
    path.write_text("\n".join(lines) + "\n")


def _decimal(path: Path) -> None:
    _text(path, ";")
    path.write_text(path.read_text().replace(".", ","))


def _vizier(path: Path) -> None:
    _text(path, "\t")
    header, rest = path.read_text().split("\n", 1)
    n = header.count("\t") + 1
    rule = "\t".join(["---"] * n)
    path.write_text(f"#Column\tid\t(I8)\tId\n{header}\n{'mag' + n * chr(9)}\n{rule}\n{rest}")


def _sextractor(path: Path) -> None:
    _text(path, "  ")
    header, rest = path.read_text().split("\n", 1)
    lines = [f"# {k} {name} text [mag]" for k, name in enumerate(header.split(), 1)]
    path.write_text("\n".join(lines) + "\n" + rest)


def _packed(write: Write) -> Write:
    def packed(path: Path) -> None:
        write(path)
        path.write_bytes(gzip.compress(path.read_bytes()))

    return packed


def _parquet(path: Path, **options: Any) -> None:
    pq.write_table(_arrow(), path, **options)


def _feather(path: Path, compression: str) -> None:
    feather.write_feather(_arrow(), path, compression=compression)


def _astropy(target: Path, **options: Any) -> None:
    _table().write(target, **options)


def _flat_text(path: Path, **options: Any) -> None:
    _flat().write(path, **options)


SEEDS: Mapping[str, Write] = {
    "fits": lambda path: _table().write(path, format="fits"),
    "fits-units": _fits_units,
    "fits-text": _fits_text,
    "fits-gzip": _packed(_fits_units),
    "parquet": _parquet,
    "parquet-plain": lambda path: _parquet(path, compression="none", use_dictionary=False),
    "parquet-small-pages": lambda path: _parquet(path, data_page_size=64, row_group_size=10),
    "parquet-astropy": lambda path: _astropy(path, format="parquet"),
    "feather": lambda path: _feather(path, "uncompressed"),
    "feather-lz4": lambda path: _feather(path, "lz4"),
    "arrow-stream": _stream,
    "hdf5": _hdf5,
    "hdf5-chunks": lambda path: _hdf5(path, chunks=(16,), compression="gzip", shuffle=True),
    "hdf5-latest": _hdf5_latest,
    "hdf5-astropy": lambda path: _astropy(path, format="hdf5", path="x", serialize_meta=True),
    "hdf5-vaex": _vaex,
    "hdf5-pandas": _pandas,
    "hdf5-pandas-table": _pandas_table,
    "votable": lambda path: _votable(path, "tabledata"),
    "votable-binary": lambda path: _votable(path, "binary"),
    "votable-binary2": lambda path: _votable(path, "binary2"),
    "csv": _text,
    "csv-loose": lambda path: _text(path, last=","),
    "csv-gzip": _packed(_text),
    "decimal-commas": _decimal,
    "blanks": lambda path: _text(path, " ", comment="# "),
    "sextractor": _sextractor,
    "vizier": _vizier,
    "ecsv": lambda path: _flat_text(path, format="ascii.ecsv"),
    "ipac": lambda path: _flat_text(path, format="ascii.ipac"),
    "mrt": lambda path: _flat_text(path, format="ascii.mrt"),
}
"""Ways to write an innocent catalogue."""


def _with_id(add: Callable[[h5py.Group], None]) -> Write:
    """Way to write an HDF5 catalogue whose ids ``add`` brings."""

    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            for name, values in _columns().items():
                if name != "id":
                    file[f"photometry/{name}"] = values
            add(file["photometry"])

    return write


def _with_stream(address: str, serialisation: str) -> Write:
    """Way to write a VOTable whose rows stand at an address."""
    fields = '<FIELD name="id" datatype="long"/><FIELD name="mag_g" datatype="double"/>'
    stream = f'<{serialisation}><STREAM href="{address}"/></{serialisation}>'
    document = (
        '<?xml version="1.0"?><VOTABLE version="1.4"><RESOURCE><TABLE>'
        f"{fields}<DATA>{stream}</DATA></TABLE></RESOURCE></VOTABLE>"
    )
    return lambda path: path.write_text(document)


def _with_entity(secret: Path) -> Write:
    """Way to write a VOTable in which a cell stands for a file."""

    def write(path: Path) -> None:
        _votable(path, "tabledata")
        text = path.read_text().replace(">100<", ">&x;<", 1)
        doctype = f'<!DOCTYPE VOTABLE [<!ENTITY x SYSTEM "{secret.as_uri()}">]><VOTABLE'
        path.write_text(text.replace("<VOTABLE", doctype, 1))

    return write


def _links(outside: Path, address: str) -> dict[str, Write]:
    """Ways to write a catalogue whose ids lie in a file of ``outside``, or at an address."""
    other, secret = outside / "other.h5", outside / "secret"

    def external(group: h5py.Group) -> None:
        group["id"] = h5py.ExternalLink(str(other), "photometry/id")

    def soft(group: h5py.Group) -> None:
        group["id"] = h5py.SoftLink("/photometry/tile")

    def storage(group: h5py.Group) -> None:
        group.create_dataset("id", (N,), "i8", external=[(str(secret), 0, 8 * N)])

    def virtual(group: h5py.Group) -> None:
        layout = h5py.VirtualLayout(shape=(N,), dtype="i8")
        layout[:] = h5py.VirtualSource(str(other), "photometry/id", shape=(N,))
        group.create_virtual_dataset("id", layout)

    return {
        "hdf5-external-link": _with_id(external),
        "hdf5-soft-link": _with_id(soft),
        "hdf5-external-storage": _with_id(storage),
        "hdf5-virtual": _with_id(virtual),
        "votable-href-binary": _with_stream(secret.as_uri(), "BINARY"),
        "votable-href-fits": _with_stream(str(other), "FITS"),
        "votable-href-parquet": _with_stream(other.as_uri(), "PARQUET"),
        "votable-href-http": _with_stream(address, "BINARY2"),
        "votable-entity": _with_entity(secret),
    }


def write_seeds(folder: Path, outside: Path, address: str) -> None:
    """Write every seed into ``folder``, and what links point to into ``outside``.

    ``address`` is where data streams point to that are no files.
    """
    (outside / "secret").write_bytes(b"hbk_TOPSECRETKEY" * 100)
    _hdf5(outside / "other.h5")
    for name, write in {**SEEDS, **_links(outside, address)}.items():
        write(folder / name)
