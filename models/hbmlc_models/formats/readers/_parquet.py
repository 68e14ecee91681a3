"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.errors import NotATableError, TooDemandingError, TruncatedFileError
from hbmlc_models.formats.limits import MAX_PARQUET_FOOTER_BYTES, IngestLimits
from hbmlc_models.formats.readers._table import refuse_doubles
from hbmlc_models.formats.shown import shown

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
            refuse_doubles(schema.names)
            # Texts come as dictionaries: one long text that a million rows name stays one.
            texts = [field.name for field in schema if _is_text(field.type)]
            self._file.close()
            self._file = _open(source, texts)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise NotATableError(
                "The Parquet footer cannot be read; write the file again."
            ) from error
        limits.check_rows(self._file.metadata.num_rows)
        self._units = {field.name: _unit(field) for field in schema if _is_scalar(field.type)}

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
            for batch in self._file.iter_batches(batch_size=size, columns=list(columns)):
                for name in columns:
                    self._check_dictionary(name, batch[name])
                yield batch
        except pa.ArrowMemoryError as error:
            raise MemoryError("A Parquet page unfolds to more than the memory.") from error
        except (pa.ArrowException, OSError) as error:
            raise TruncatedFileError(
                "A Parquet page is damaged or missing; write the file again."
            ) from error

    def _check_dictionary(self, name: str, column: pa.Array) -> None:
        """Raise where rows name no entry, or one that is too long to be repeated row by row."""
        if not pa.types.is_dictionary(column.type):
            return
        bounds = pc.min_max(column.indices).as_py()
        if bounds["max"] is not None and not (
            bounds["min"] >= 0 and bounds["max"] < len(column.dictionary)
        ):
            raise TruncatedFileError(
                f"Rows of the Parquet column {shown(name)} name no entry of its dictionary; write "
                "the file again.",
                where=name,
            )
        if _is_text(column.type.value_type):
            longest = pc.max(pc.binary_length(column.dictionary)).as_py()
            self._limits.check_cell(name, longest or 0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _unit(field: pa.Field) -> str | None:
    """Unit in the metadata of a field, as astropy and pandas writers leave it."""
    metadata: Mapping[bytes, bytes] = field.metadata or {}
    unit = metadata.get(b"unit") or metadata.get(b"units")
    return unit.decode("utf-8", "replace") if unit else None


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


def _is_text(kind: pa.DataType) -> bool:
    """Whether a column holds texts or bytes of any length."""
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _is_scalar(kind: pa.DataType) -> bool:
    """Whether a column holds one value a row that can be a number, a flag or a text."""
    if pa.types.is_dictionary(kind):
        return _is_scalar(kind.value_type)
    return not (pa.types.is_nested(kind) or pa.types.is_fixed_size_binary(kind))
