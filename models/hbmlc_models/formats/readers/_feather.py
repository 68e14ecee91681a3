"""Arrow files (Feather) and streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from hbmlc_models.formats.errors import NotATableError, TruncatedFileError
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.readers._arrow import check_dictionary, element_of, is_long
from hbmlc_models.formats.readers._arrow_schema import described, left_out
from hbmlc_models.formats.readers._elements import split_element

__all__ = ["FeatherTable"]

_FILE_MAGIC = b"ARROW1"


class FeatherTable:
    """An Arrow file or stream; nested columns are left out.

    Buffers are taken as they lie in the file, so each is checked before a value is looked at.
    """

    def __init__(self, source: Path, limits: IngestLimits) -> None:
        self._limits = limits
        self._size = source.stat().st_size
        with source.open("rb") as file:
            self._is_file = file.read(len(_FILE_MAGIC)) == _FILE_MAGIC
        try:
            self._map = pa.memory_map(str(source))
            self._schema = self._reader(None).schema
            limits.check_columns(len(self._schema.names))
            self.columns, self.doubles = described(self._schema)
            self.findings = left_out(self._schema)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise NotATableError("The Arrow file cannot be read; write it again.") from error
        self.n_rows: int | None = None

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches."""
        wanted = [split_element(name, self.columns) for name in columns]
        read = sorted({self._schema.get_field_index(base) for base, _ in wanted})
        n_bytes = 0
        try:
            for batch in self._stored(read):
                self._limits.check_rows(batch.num_rows)
                n_bytes += batch.nbytes
                self._limits.check_expansion(n_bytes, file_bytes=self._size)
                held = pa.RecordBatch.from_arrays(
                    [self._column(batch, base, element) for base, element in wanted],
                    names=list(columns),
                )
                for start in range(0, held.num_rows, size):
                    yield held.slice(start, size)
        except pa.ArrowMemoryError as error:
            raise MemoryError("A buffer of the Arrow file unfolds beyond the memory.") from error
        except (pa.ArrowException, OSError) as error:
            raise TruncatedFileError(
                "A batch of the Arrow file is damaged or missing; write the file again."
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._map.close()

    def _reader(self, fields: list[int] | None) -> ipc.RecordBatchFileReader:
        """Reader of the fields of these numbers, or of all."""
        self._map.seek(0)
        options = ipc.IpcReadOptions(included_fields=fields, use_threads=False)
        opened = ipc.open_file if self._is_file else ipc.open_stream
        return opened(self._map, options=options)

    def _stored(self, fields: list[int]) -> Iterator[pa.RecordBatch]:
        """Batches as they lie in the file."""
        reader = self._reader(fields)
        if not self._is_file:
            yield from reader
            return
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)

    def _column(self, batch: pa.RecordBatch, base: str, element: int | None) -> pa.Array:
        """One checked column, or an element of it."""
        column = batch[base]
        column.validate(full=True)
        check_dictionary(column, base, self._limits)
        if is_long(column.type):
            from hbmlc_models.formats._compute import pc

            longest = pc.max(pc.binary_length(column.cast(pa.large_binary()))).as_py()
            self._limits.check_cell(base, longest or 0)
        return column if element is None else element_of(column, element)
