"""Uploads that mean harm: files that point outside themselves, and small ones that unfold."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

SECRET = b"hbk_TOPSECRETKEY"
"""What stands, twice in a row, in the file that an upload wants to be read."""

BANDS = "gr"


def write_secret(path: Path) -> Path:
    """A file of the worker that no upload may read: as ids its content would be duplicates."""
    path.write_bytes(SECRET * 40)
    return path


def photometry(n: int) -> dict[str, Any]:
    """Columns of an innocent catalogue, without ids."""
    columns: dict[str, Any] = {}
    for band in BANDS:
        columns[f"mag_{band}"] = np.linspace(20, 24, n)
        columns[f"mag_err_{band}"] = np.full(n, 0.1)
    columns["z_spec"] = np.where(np.arange(n) % 3 == 0, 0.5, np.nan)
    return columns


def hdf5_with(path: Path, add_id: Callable[[h5py.Group], None], *, n: int = 40) -> Path:
    """An HDF5 table whose id column ``add_id`` makes."""
    with h5py.File(path, "w") as file:
        group = file.create_group("photometry")
        for name, values in photometry(n).items():
            group[name] = values
        add_id(group)
    return path


def hdf5_external_storage(path: Path, secret: Path, *, n: int = 40) -> Path:
    """The bytes of the ids lie in another file."""

    def add(group: h5py.Group) -> None:
        size = len(SECRET) * n
        group.create_dataset(
            "id", shape=(n,), dtype=f"S{len(SECRET)}", external=[(str(secret), 0, size)]
        )

    return hdf5_with(path, add, n=n)


def hdf5_virtual(path: Path, secret: Path, *, n: int = 40) -> Path:
    """The ids are a view of a dataset of another HDF5 file."""
    with h5py.File(secret, "w") as file:
        file["ids"] = np.array([SECRET] * n)

    def add(group: h5py.Group) -> None:
        layout = h5py.VirtualLayout(shape=(n,), dtype=f"S{len(SECRET)}")
        layout[:] = h5py.VirtualSource(str(secret), "ids", shape=(n,))
        group.create_virtual_dataset("id", layout)

    return hdf5_with(path, add, n=n)


def hdf5_link(path: Path, target: object, *, whole_group: bool = False) -> Path:
    """The ids, or the whole table, stand behind a soft or an external link."""
    with h5py.File(path, "w") as file:
        group = file.create_group("photometry")
        for name, values in photometry(40).items():
            group[name] = values
        (file if whole_group else group)["more" if whole_group else "id"] = target
    return path


def hdf5_wide_text(path: Path, *, n: int = 5_000, width: int = 500_000) -> Path:
    """Ids of half a megabyte each, in chunks that compress to nothing."""

    def add(group: h5py.Group) -> None:
        group.create_dataset("id", (n,), f"S{width}", chunks=(n,), compression="gzip")

    return hdf5_with(path, add, n=n)


def hdf5_huge_chunk(path: Path, *, n: int = 20_000_000) -> Path:
    """One chunk as long as the dataset: each batch of rows unpacks all of it again."""
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for name in ("id", *photometry(1)):
            data = file.create_dataset(name, (n,), "f8", chunks=(n,), compression="gzip")
            if name == "id":
                block = rng.integers(0, 2**52, n // 5).astype("f8")
                data[: len(block)] = block
    return path


def hdf5_without_storage(path: Path, *, n: int = 49_000_000) -> Path:
    """Millions of rows that were never written: fill values, made as they are read."""
    with h5py.File(path, "w") as file:
        for name in ("id", *photometry(1)):
            value = 0.1 if "err" in name else 20.5
            file.create_dataset(name, (n,), "f8", chunks=(65_536,), fillvalue=value)
    return path


def hdf5_many_chunks(path: Path, *, n: int = 5_000_000) -> Path:
    """A chunk a row: each is looked up on its own."""
    with h5py.File(path, "w") as file:
        for name in ("id", *photometry(1)):
            file.create_dataset(name, (n,), "f8", chunks=(1,), fillvalue=20.5)
    return path


def hdf5_shared_text(path: Path, *, n: int = 5_000, width: int = 1_000_000) -> Path:
    """Ids of variable length that all point to the same long text."""

    def add(group: h5py.Group) -> None:
        data = group.create_dataset("id", (n,), h5py.string_dtype())
        data[0] = "x" * width

    hdf5_with(path, add, n=n)
    with h5py.File(path, "r") as file:
        offset = file["photometry/id"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[offset : offset + 16 * n] = bytes(content[offset : offset + 16]) * n
    path.write_bytes(content)
    return path


def hdf5_false_chunk(path: Path, *, unpacked: int = 2**31, n: int = 40) -> Path:
    """A chunk that is declared small and whose compressed bytes unfold to gigabytes."""
    hdf5_with(path, lambda group: None, n=n)
    packer = zlib.compressobj(9)
    block = bytes(2**24)
    pieces = [packer.compress(block) for _ in range(unpacked // len(block))]
    with h5py.File(path, "a") as file:
        data = file.create_dataset("photometry/id", (n,), "i8", chunks=(n,), compression="gzip")
        data.id.write_direct_chunk((0,), b"".join(pieces) + packer.flush())
    return path


def parquet_shared_text(path: Path, *, n: int = 5_000, width: int = 1_000_000) -> Path:
    """One long text in a dictionary, that every row names."""
    ids = pa.DictionaryArray.from_arrays(np.zeros(n, "i4"), ["x" * width])
    table = pa.table({"id": ids, **photometry(n)})
    pq.write_table(table, path, compression="zstd", dictionary_pagesize_limit=2**30)
    return path


def parquet_repeated(path: Path, *, n: int = 49_000_000) -> Path:
    """Millions of equal rows, each column a few bytes of run lengths."""
    columns = {
        name: pa.DictionaryArray.from_arrays(np.zeros(n, "i4"), [0.1 if "err" in name else 20.0])
        for name in ("id", *photometry(1))
    }
    pq.write_table(pa.table(columns), path, compression="zstd", store_schema=False)
    return path


def parquet_wide_binary(path: Path, *, n: int = 5_000, width: int = 50_000) -> Path:
    """Fixed-width values of half a megabyte, one of them in a dictionary."""
    kind = pa.binary(width)
    ids = pa.DictionaryArray.from_arrays(np.zeros(n, "i4"), pa.array([bytes(width)], kind))
    schema = {"id": ids, **photometry(n)}
    pq.write_table(pa.table(schema), path, compression="zstd", dictionary_pagesize_limit=2**30)
    return path


def votable(fields: str, data: str, *, head: str = "", table: str = "") -> bytes:
    """A VOTable document with a table of these fields and data."""
    return (
        f'<?xml version="1.0"?>{head}<VOTABLE version="1.4" '
        'xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f"<RESOURCE><TABLE {table}>{fields}<DATA>{data}</DATA></TABLE></RESOURCE></VOTABLE>"
    ).encode()


PHOTOMETRY_FIELDS = "".join(
    f'<FIELD name="{name}" datatype="double"/>'
    for name in ("mag_g", "mag_err_g", "mag_r", "mag_err_r", "z_spec")
)


def votable_stream(path: Path, href: str, *, serialisation: str = "BINARY") -> Path:
    """The rows stand behind an address."""
    fields = f'<FIELD name="id" datatype="char" arraysize="{len(SECRET)}"/>'
    fields += '<FIELD name="mag_g" datatype="char" arraysize="1"/>'
    fields += '<FIELD name="mag_err_g" datatype="char" arraysize="1"/>'
    stream = f'<{serialisation}><STREAM type="locator" href="{href}"/></{serialisation}>'
    path.write_bytes(votable(fields, stream))
    return path


def votable_wide(path: Path, *, width: str = "100000000", rows: int = 4) -> Path:
    """A column whose values are declared to be huge and are empty."""
    fields = f'<FIELD name="wide" datatype="double" arraysize="{width}"/>'
    fields = '<FIELD name="id" datatype="int"/>' + PHOTOMETRY_FIELDS + fields
    cells = "<TD>1</TD>" + "<TD>20</TD>" * 5 + "<TD/>"
    path.write_bytes(votable(fields, f"<TABLEDATA>{f'<TR>{cells}</TR>' * rows}</TABLEDATA>"))
    return path


def votable_many_rows(path: Path) -> Path:
    """A number of rows that the document says and does not have."""
    fields = '<FIELD name="id" datatype="int"/>' + PHOTOMETRY_FIELDS
    row = "<TR><TD>1</TD>" + "<TD>20</TD>" * 5 + "</TR>"
    path.write_bytes(votable(fields, f"<TABLEDATA>{row}</TABLEDATA>", table='nrows="90000000"'))
    return path


def votable_entities(path: Path, *, depth: int = 8) -> Path:
    """Entities that double and double again, beyond the first 64 kB of the document."""
    entities = '<!ENTITY a0 "lol">' + "".join(
        f'<!ENTITY a{k} "{f"&a{k - 1};" * 20}">' for k in range(1, depth)
    )
    head = f"<!--{'VOTABLE ' * 10_000}--><!DOCTYPE x [{entities}]>"
    fields = '<FIELD name="id" datatype="char" arraysize="*"/>' + PHOTOMETRY_FIELDS
    row = f"<TR><TD>&a{depth - 1};</TD>" + "<TD>20</TD>" * 5 + "</TR>"
    path.write_bytes(votable(fields, f"<TABLEDATA>{row * 2}</TABLEDATA>", head=head))
    return path


def fits_wrong_stride(path: Path, *, n: int = 40) -> Path:
    """Rows that are longer than their columns say."""
    columns = photometry(n) | {"id": np.arange(n, dtype="i8")}
    hdu = fits.BinTableHDU.from_columns(
        [fits.Column(name=k, format="K" if k == "id" else "D", array=v) for k, v in columns.items()]
    )
    hdu.writeto(path, overwrite=True)
    content = path.read_bytes()
    width = int(hdu.header["NAXIS1"])
    card = f"NAXIS1  = {width:>20}".encode()
    assert card in content
    shorter = f"NAXIS1  = {width - 8:>20}".encode()
    path.write_bytes(content.replace(card, shorter))
    return path


def fits_wide_row(path: Path, *, width: int = 2_000_000, n: int = 64) -> Path:
    """Ids of two megabytes; the file is sparse, so that it costs nothing to keep."""
    cards = [
        ("XTENSION", "'BINTABLE'"), ("BITPIX", 8), ("NAXIS", 2), ("NAXIS1", width + 16),
        ("NAXIS2", n), ("PCOUNT", 0), ("GCOUNT", 1), ("TFIELDS", 3),
        ("TTYPE1", "'id      '"), ("TFORM1", f"'{width}A'"),
        ("TTYPE2", "'mag_g   '"), ("TFORM2", "'D       '"),
        ("TTYPE3", "'mag_err_g'"), ("TFORM3", "'D       '"),
    ]  # fmt: skip
    head = _fits_header([("SIMPLE", "T"), ("BITPIX", 8), ("NAXIS", 0), ("EXTEND", "T")])
    head += _fits_header(cards)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + -(-(width + 16) * n // 2880) * 2880)
    return path


def fits_endless_header(path: Path, *, blocks: int = 40_000) -> Path:
    """A header that never ends."""
    head = _fits_header([("SIMPLE", "T"), ("BITPIX", 8), ("NAXIS", 0), ("EXTEND", "T")])
    with path.open("wb") as file:
        file.write(head)
        card = b"XTENSION= 'BINTABLE'".ljust(80) + b"COMMENT " + b"x" * 72
        file.write(card.ljust(2880, b" "))
        file.write((b"COMMENT " + b"x" * 72) * 36 * blocks)
    return path


def _fits_header(cards: Sequence[tuple[str, object]]) -> bytes:
    lines = [f"{key:<8}= {value:>20}".ljust(80) for key, value in cards] + ["END".ljust(80)]
    text = "".join(lines).encode()
    return text.ljust(-(-len(text) // 2880) * 2880, b" ")


def csv_long_field(path: Path, *, width: int = 200_000) -> Path:
    """A column name longer than any reader of the standard library takes."""
    path.write_bytes(b"id,mag_g,mag_err_g," + b"x" * width + b"\n1,20,0.1,1\n2,20,0.1,1\n")
    return path


def damaged(content: bytes, rng: random.Random) -> bytes:
    """The content with a few bytes changed, left out or doubled."""
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        place, length = rng.randrange(len(changed)), rng.randrange(1, 50)
        kind = rng.random()
        if kind < 0.8:
            piece = rng.choice(_PIECES)
            changed[place : place + len(piece)] = piece
        elif kind < 0.9:
            del changed[place : place + length]
        else:
            changed[place:place] = changed[place : place + length]
    return bytes(changed)


_PIECES = [bytes([k]) for k in range(0, 256, 5)] + [
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x80",
    b"\xff\xff\xff\x7f",
    b"999999999",
    b"-1",
]
