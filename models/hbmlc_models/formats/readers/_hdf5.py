"""HDF5 files: a dataset of records, or equally long datasets in one group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hbmlc_models.formats.errors import TooDemandingError, TruncatedFileError
from hbmlc_models.formats.limits import (
    BATCH_BYTES,
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    MAX_CHUNKS_IN_MEMORY,
    MAX_RECORD_BYTES,
    IngestLimits,
)
from hbmlc_models.formats.readers._arrow import text_array
from hbmlc_models.formats.readers._hdf5_tables import Hdf5Column, largest_table
from hbmlc_models.formats.shown import shown

__all__ = ["Hdf5Table"]

_TEXT_ROWS = 64
"""Texts of variable length that are read at a time: their lengths are known only afterwards."""
_LEAST_CACHE = 2**20
_CACHE_SLOTS = 521


class Hdf5Table:
    """The largest table of an HDF5 file that holds all its values itself."""

    def __init__(self, source: Path, limits: IngestLimits) -> None:
        self._limits = limits
        try:
            self._file = h5py.File(source, "r")
        except OSError as error:
            raise TruncatedFileError(
                "The HDF5 file cannot be opened; upload it again in full."
            ) from error
        try:
            self._columns = largest_table(self._file, limits)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            # What h5py raises from a damaged header depends on where the damage is.
            self._file.close()
            raise _damaged(error) from error
        except BaseException:
            self._file.close()
            raise
        self._n_rows = next(iter(self._columns.values())).n_rows

    @property
    def units(self) -> Mapping[str, str | None]:
        """Names and units of the columns."""
        return {name: column.unit for name, column in self._columns.items()}

    @property
    def n_rows(self) -> int | None:
        """Length of the datasets."""
        return self._n_rows

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches."""
        chosen = {name: self._columns[name] for name in columns}
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

    def _open(self, chosen: Mapping[str, Hdf5Column]) -> dict[str, Any]:
        """Datasets of the columns by path, each with a cache that holds one of its chunks."""
        described: dict[str, Any] = {
            column.path: self._file[column.path] for column in chosen.values()
        }
        sizes = {path: _checked_chunk(data) for path, data in described.items()}
        for name, column in chosen.items():
            dtype = described[column.path].dtype
            dtype = dtype.fields[column.field][0] if column.field is not None else dtype
            self._limits.check_cell(name, dtype.itemsize)
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
        self, chosen: Mapping[str, Hdf5Column], data: Mapping[str, Any], start: int, stop: int
    ) -> list[pa.Array]:
        """Arrow values of some rows, each dataset of records read once for all its fields."""
        blocks: dict[str, Any] = {}
        for path, source in data.items():
            names = {c.field: name for name, c in chosen.items() if c.path == path}
            blocks[path] = self._block(source, names, start, stop)
        return [
            _to_arrow(name, block if column.field is None else block[column.field])
            for name, column in chosen.items()
            for block in [blocks[column.path]]
        ]

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
    if data.dtype.itemsize > MAX_RECORD_BYTES:
        raise TooDemandingError(
            f"A row of the HDF5 dataset {shown(path)} takes {data.dtype.itemsize:,} bytes, the "
            f"limit is {MAX_RECORD_BYTES:,}; write the wanted columns only.",
            where=path,
        )
    if data.chunks is None:
        return 0
    (chunk_rows,) = data.chunks
    size = int(chunk_rows) * data.dtype.itemsize
    if size > MAX_CHUNK_BYTES or -(-data.shape[0] // chunk_rows) > MAX_CHUNKS:
        raise TooDemandingError(
            f"The HDF5 dataset {shown(path)} has {-(-data.shape[0] // chunk_rows):,} chunks of "
            f"{size:,} bytes, the limits are {MAX_CHUNKS:,} and {MAX_CHUNK_BYTES:,}; write it with "
            "chunks=True.",
            where=path,
        )
    return size


def _rows_at_a_time(datasets: Any) -> int:
    """Rows whose records together stay within ``BATCH_BYTES``."""
    return max(1, BATCH_BYTES // sum(data.dtype.itemsize for data in datasets))


def _damaged(error: Exception) -> Exception:
    """What an error of the library means; its text names addresses and files."""
    if "alloc" in str(error).lower():
        return MemoryError("An HDF5 dataset unfolds to more than the memory.")
    return TruncatedFileError("An HDF5 dataset is damaged or breaks off; upload it again in full.")


def _text(value: object) -> str:
    """One variable-length string."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
