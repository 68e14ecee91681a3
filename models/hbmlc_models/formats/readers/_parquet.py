"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hbmlc_models.formats.errors import NotATableError, TooDemandingError, TruncatedFileError
from hbmlc_models.formats.limits import MAX_PARQUET_FOOTER_BYTES, IngestLimits
from hbmlc_models.formats.readers._arrow import check_dictionary, element_of, is_long
from hbmlc_models.formats.readers._arrow_schema import described, left_out
from hbmlc_models.formats.readers._elements import split_element

__all__ = ["ParquetTable"]

_THRIFT_LIMIT = MAX_PARQUET_FOOTER_BYTES
"""Largest footer structure [bytes]: a forged footer may otherwise claim all memory."""
_TAIL_BYTES = 8
"""Length of the footer and the magic bytes, at the end of the file."""


class ParquetTable:
    """A Parquet file; nested columns, and fixed-width bytes that are no number, are left out."""

    def __init__(self, source: Path, limits: IngestLimits) -> None:
        _check_footer(source)
        self._limits = limits
        try:
            self._file = _open(source, [])
            schema = self._file.schema_arrow
            limits.check_columns(len(schema.names))
            # Texts come as dictionaries: one long text that a million rows name stays one.
            texts = [field.name for field in schema if is_long(field.type)]
            self._file.close()
            self._file = _open(source, texts)
            self.columns, self.doubles = described(schema)
            self.findings = left_out(schema)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise NotATableError(
                "The Parquet footer cannot be read; write the file again."
            ) from error
        self.n_rows: int | None = self._file.metadata.num_rows
        limits.check_rows(self._file.metadata.num_rows)

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches."""
        wanted = [split_element(name, self.columns) for name in columns]
        read = list(dict.fromkeys(base for base, _ in wanted))
        try:
            for batch in self._file.iter_batches(batch_size=size, columns=read):
                arrays: list[pa.Array] = []
                for base, element in wanted:
                    column = batch[base]
                    check_dictionary(column, base, self._limits)
                    arrays.append(column if element is None else element_of(column, element))
                yield pa.RecordBatch.from_arrays(arrays, names=list(columns))
        except pa.ArrowMemoryError as error:
            raise MemoryError("A Parquet page unfolds to more than the memory.") from error
        except (pa.ArrowException, OSError) as error:
            raise TruncatedFileError(
                "A Parquet page is damaged or missing; write the file again."
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _open(source: Path, texts: Sequence[str]) -> pq.ParquetFile:
    """Open a file whose columns ``texts`` are read as dictionaries."""
    return pq.ParquetFile(
        source,
        memory_map=True,
        read_dictionary=list(texts),
        thrift_string_size_limit=_THRIFT_LIMIT,
        thrift_container_size_limit=_THRIFT_LIMIT,
    )


def _check_footer(source: Path) -> None:
    """Raise where the footer is too large to be taken apart."""
    with source.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL_BYTES))
        footer = int.from_bytes(file.read(4), "little")
    if footer > MAX_PARQUET_FOOTER_BYTES:
        raise TooDemandingError(
            f"The Parquet footer has {footer:,} bytes, the limit is {MAX_PARQUET_FOOTER_BYTES:,}; "
            "write fewer columns and larger row groups."
        )
