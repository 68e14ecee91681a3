"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hbmlc_models.formats.errors import NotATableError, TruncatedFileError
from hbmlc_models.formats.limits import IngestLimits

__all__ = ["ParquetTable"]

_THRIFT_LIMIT = 256 * 2**20
"""Largest footer structure [bytes]: a forged footer may otherwise claim all memory."""


class ParquetTable:
    """A Parquet file; nested columns are left out."""

    def __init__(self, source: Path, limits: IngestLimits) -> None:
        try:
            self._file = pq.ParquetFile(
                source,
                memory_map=True,
                thrift_string_size_limit=_THRIFT_LIMIT,
                thrift_container_size_limit=_THRIFT_LIMIT,
            )
            schema = self._file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise NotATableError(f"The Parquet footer cannot be read: {error}.") from error
        limits.check_columns(len(schema.names))
        limits.check_rows(self._file.metadata.num_rows)
        self._units = {field.name: _unit(field) for field in schema if not _is_nested(field.type)}

    @property
    def units(self) -> Mapping[str, str | None]:
        """Names and units of the flat columns."""
        return self._units

    @property
    def n_rows(self) -> int | None:
        """Number of rows in the footer."""
        return self._file.metadata.num_rows

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches."""
        try:
            yield from self._file.iter_batches(batch_size=size, columns=list(columns))
        except (pa.ArrowException, OSError) as error:
            raise TruncatedFileError(f"A Parquet page cannot be read: {error}.") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _unit(field: pa.Field) -> str | None:
    """Unit in the metadata of a field, as astropy and pandas writers leave it."""
    metadata: Mapping[bytes, bytes] = field.metadata or {}
    unit = metadata.get(b"unit") or metadata.get(b"units")
    return unit.decode("utf-8", "replace") if unit else None


def _is_nested(kind: pa.DataType) -> bool:
    """Whether a column holds more than one value a row."""
    return pa.types.is_nested(kind)
