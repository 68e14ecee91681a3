"""HDF5 files: records, equally long datasets in a group, what pandas, vaex and astropy write."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hbmlc_models.formats.errors import NotATableError, TooDemandingError, TruncatedFileError
from hbmlc_models.formats.findings import Finding, FindingCode, note
from hbmlc_models.formats.limits import (
    BATCH_BYTES,
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    MAX_CHUNKS_IN_MEMORY,
    MAX_RECORD_BYTES,
    IngestLimits,
)
from hbmlc_models.formats.readers._arrow import text_array
from hbmlc_models.formats.readers._choice import Candidate, choose
from hbmlc_models.formats.readers._elements import split_element
from hbmlc_models.formats.readers._hdf5_headers import HeaderReader
from hbmlc_models.formats.readers._hdf5_heaps import check_heaps
from hbmlc_models.formats.readers._hdf5_tables import Hdf5Column, Hdf5Group, tables_in
from hbmlc_models.formats.readers._names import distinct
from hbmlc_models.formats.readers._table import SourceColumn, TableChoice
from hbmlc_models.formats.shown import listed, shown

__all__ = ["Hdf5Table"]

_TEXT_ROWS = 64
"""Texts of variable length that are read at a time: their lengths are known only afterwards."""
_LEAST_CACHE = 2**20
_CACHE_SLOTS = 521
_MAX_META_BYTES = 2 * 2**20
_Wanted = tuple[Hdf5Column, int | None]


class Hdf5Table:
    """The table of an HDF5 file that looks most like a catalogue; the file holds all its values."""

    def __init__(self, source: Path, limits: IngestLimits, choice: TableChoice) -> None:
        self._limits = limits
        check_heaps(source)
        try:
            self._file = h5py.File(source, "r")
        except OSError as error:
            raise TruncatedFileError(
                "The HDF5 file cannot be opened; upload it again in full."
            ) from error
        try:
            with closing(HeaderReader(source)) as headers:
                tables = tables_in(self._file, headers, limits)
            table, self.findings = _chosen(tables, limits, choice)
            self._columns, self.doubles = distinct(table.columns)
            self.columns = _described(self._file, table, self._columns)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            # What h5py raises from a damaged header depends on where the damage is.
            self._file.close()
            raise _damaged(error) from error
        except BaseException:
            self._file.close()
            raise
        self._n_rows = table.n_rows
        self.n_rows: int | None = table.n_rows

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches."""
        chosen: dict[str, _Wanted] = {}
        for name in columns:
            base, element = split_element(name, self._columns)
            column = self._columns[base]
            chosen[name] = column, column.element if element is None else element
        try:
            data = self._open(chosen)
            size = min(size, _rows_at_a_time(data.values()))
            for start in range(0, self._n_rows, size):
                stop = min(start + size, self._n_rows)
                yield pa.RecordBatch.from_arrays(
                    self._read(chosen, data, start, stop), names=list(columns)
                )
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            raise _damaged(error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self, chosen: Mapping[str, _Wanted]) -> dict[str, Any]:
        """Datasets of the columns by path, each with a cache that holds one of its chunks."""
        described: dict[str, Any] = {
            column.path: self._file[column.path] for column, _ in chosen.values()
        }
        sizes = {path: _checked_chunk(data) for path, data in described.items()}
        for name, (column, _) in chosen.items():
            dtype = described[column.path].dtype
            dtype = dtype.fields[column.field][0] if column.field is not None else dtype
            self._limits.check_cell(name, dtype.base.itemsize)
        if sum(sizes.values()) > MAX_CHUNKS_IN_MEMORY:
            raise TooDemandingError(
                f"One chunk of each HDF5 dataset takes {sum(sizes.values()):,} bytes, the limit is "
                f"{MAX_CHUNKS_IN_MEMORY:,}; write them with smaller chunks (chunks=True)."
            )
        # The cache of a dataset that is open already would stay as it is.
        described.clear()
        return {path: self._with_cache(path, size) for path, size in sizes.items()}

    def _with_cache(self, path: str, chunk_bytes: int) -> Any:
        access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
        access.set_chunk_cache(_CACHE_SLOTS, max(_LEAST_CACHE, chunk_bytes), 0.75)
        return h5py.Dataset(h5py.h5d.open(self._file.id, path.encode(), access))

    def _read(
        self, chosen: Mapping[str, _Wanted], data: Mapping[str, Any], start: int, stop: int
    ) -> list[pa.Array]:
        """Arrow values of some rows, each dataset read once for all its columns."""
        blocks: dict[str, Any] = {}
        for path, source in data.items():
            names = {c.field: name for name, (c, _) in chosen.items() if c.path == path}
            blocks[path] = self._block(source, names, start, stop)
        arrays: list[pa.Array] = []
        for name, (column, element) in chosen.items():
            values = blocks[column.path]
            values = values if column.field is None else values[column.field]
            values = values if element is None else values[:, element]
            arrays.append(_to_arrow(name, values))
        return arrays

    def _block(
        self, source: Any, names: Mapping[str | None, str], start: int, stop: int
    ) -> npt.NDArray[Any]:
        """Rows of one dataset; texts of variable length in steps that stop at a long one."""
        fields = [field for field in names if field is not None]
        lender = source.fields(fields) if fields else source
        dtype = source.dtype
        texts = [f for f in names if (dtype if f is None else dtype.fields[f][0]).kind == "O"]
        if not texts:
            return lender[start:stop]
        pieces: list[npt.NDArray[Any]] = []
        for at in range(start, stop, _TEXT_ROWS):
            piece = lender[at : min(at + _TEXT_ROWS, stop)]
            for field in texts:
                values = piece if field is None else piece[field]
                self._limits.check_cell(names[field], max(map(len, values)))
            pieces.append(piece)
        return np.concatenate(pieces)


def _chosen(
    tables: Sequence[Hdf5Group], limits: IngestLimits, choice: TableChoice
) -> tuple[Hdf5Group, list[Finding]]:
    """The catalogue among the tables of a file, and what to say."""
    if not tables:
        raise NotATableError(
            "The HDF5 file holds neither a dataset of records nor equally long one-dimensional "
            "datasets in one group."
        )
    # The number is how the table is found again; groups are asked for by path alone.
    candidates = [
        Candidate(
            name=table.name,
            number=-index,
            columns=[name for name, _ in table.columns],
            n_rows=table.n_rows,
            aliases=_aliases(table),
        )
        for index, table in enumerate(tables, start=1)
    ]
    best, findings = choose(candidates, choice, what="group")
    table = tables[-(best.number or 0) - 1]
    limits.check_rows(table.n_rows)
    if table.left_out:
        findings.append(
            note(
                FindingCode.COLUMNS_LEFT_OUT,
                f"Columns that are stored as Python objects or texts of vaex are not read: "
                f"{listed(table.left_out, 8)}. Write them as Parquet, FITS or CSV.",
            )
        )
    return table, findings


def _aliases(table: Hdf5Group) -> tuple[str, ...]:
    """Last part of the path, and the dataset or group in which pandas and vaex keep the rows."""
    return (table.name.rpartition("/")[2], f"{table.name}/table", f"{table.name}/columns")


def _described(
    file: Any, table: Hdf5Group, columns: Mapping[str, Hdf5Column]
) -> dict[str, SourceColumn]:
    """What the file says of the columns, with what astropy wrote beside the table."""
    beside = _astropy_meta(file, table.meta_path)
    described: dict[str, SourceColumn] = {}
    for name, column in columns.items():
        other = beside.get(name, SourceColumn())
        described[name] = SourceColumn(
            unit=column.unit or other.unit,
            description=column.description or other.description,
            n_elements=column.n_elements,
        )
    return described


def _astropy_meta(file: Any, path: str | None) -> Mapping[str, SourceColumn]:
    """Columns as astropy describes them, a line of YAML in each value of a dataset."""
    if path is None:
        return {}
    data = file[path]
    is_short = data.ndim == 1 and data.dtype.kind == "S"
    if not is_short or data.shape[0] * data.dtype.itemsize > _MAX_META_BYTES:
        return {}
    from hbmlc_models.formats.readers._astropy_meta import columns_in

    _checked_chunk(data)
    return columns_in(b"\n".join(data[:].tolist()) + b"\n")


def _to_arrow(name: str, values: npt.NDArray[Any]) -> pa.Array:
    """Arrow values of one column."""
    if values.dtype.kind == "O":
        return pa.array([_text(value) for value in values], pa.string())
    if values.dtype.kind in "SU":
        return text_array(values, name)
    native = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("="))
    return pa.array(native)


def _checked_chunk(data: Any) -> int:
    """Bytes of a chunk of a dataset, zero without chunks; raises where it unfolds too far."""
    path = data.name
    width = math.prod(data.shape[1:]) * data.dtype.itemsize
    if width > MAX_RECORD_BYTES:
        raise TooDemandingError(
            f"A row of the HDF5 dataset {shown(path)} takes {width:,} bytes, the limit is "
            f"{MAX_RECORD_BYTES:,}; write the wanted columns only.",
            where=path,
        )
    if data.chunks is None:
        return 0
    size = math.prod(map(int, data.chunks)) * data.dtype.itemsize
    n_chunks = math.prod(
        -(-length // chunk) for length, chunk in zip(data.shape, data.chunks, strict=True)
    )
    if size > MAX_CHUNK_BYTES or n_chunks > MAX_CHUNKS:
        raise TooDemandingError(
            f"The HDF5 dataset {shown(path)} has {n_chunks:,} chunks of {size:,} bytes, the limits "
            f"are {MAX_CHUNKS:,} and {MAX_CHUNK_BYTES:,}; write it with chunks=True.",
            where=path,
        )
    return size


def _rows_at_a_time(datasets: Any) -> int:
    """Rows whose records together stay within ``BATCH_BYTES``."""
    width = sum(math.prod(data.shape[1:]) * data.dtype.itemsize for data in datasets)
    return max(1, BATCH_BYTES // max(1, width))


def _damaged(error: Exception) -> Exception:
    """What an error of the library means; its text names addresses and files."""
    if "alloc" in str(error).lower():
        return MemoryError("An HDF5 dataset unfolds to more than the memory.")
    return TruncatedFileError("An HDF5 dataset is damaged or breaks off; upload it again in full.")


def _text(value: object) -> str:
    """One variable-length string."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
