"""Ids of an upload, checked in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

import numpy as np
import pyarrow as pa

from hbmlc_models.arrays import IntArray
from hbmlc_models.formats._columns import integers, is_text, labels, plain, texts
from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.errors import BadTextError, DuplicateIdsError, MissingIdsError
from hbmlc_models.formats.shown import shown

__all__ = ["IdCheck", "ValueType", "id_array", "reads_as_integers"]

_CANONICAL_INTEGER = r"^(0|-?[1-9][0-9]*)$"
"""Text that an integer prints as; "007" is a name and stays text."""
_LOST_DIGITS = r"^[+-]?([0-9]\.[0-9]+[eE]\+?[0-9]+|[0-9]{16,}\.0*)$"
"""Integers that went through a double: written with an exponent, or too long for one."""
_MAX_SUSPECTS = 10_000
"""Doubles that are looked at one by one; any one of them is enough to refuse the table."""


class ValueType(StrEnum):
    """How ids and tiles are kept."""

    INTEGER = "int64"
    TEXT = "string"


def reads_as_integers(column: pa.Array) -> bool:
    """Whether every text is the usual form of an integer."""
    matches = pc.match_substring_regex(column, _CANONICAL_INTEGER)
    return bool(pc.all(matches, min_count=0).as_py())


def id_array(batch: pa.RecordBatch, columns: Sequence[str], *, start: int) -> pa.Array:
    """Ids of a batch: one column, several joined by ``-``, or the number of the row, from zero."""
    if not columns:
        return pa.array(np.arange(start, start + batch.num_rows, dtype=np.int64))
    if len(columns) == 1:
        return batch[columns[0]]
    parts = [_as_text(batch[name], name) for name in columns]
    return pc.binary_join_element_wise(*parts, pa.scalar("-", pa.string()))


def _as_text(column: pa.Array, name: str) -> pa.Array:
    """Integers or texts as texts."""
    column = plain(column, name)
    if is_text(column.type):
        return texts(column, name)
    return integers(column, name).cast(pa.string())


class IdCheck:
    """Sees every id once; afterwards knows their type, their length and that they are unique."""

    def __init__(self, column: str, *, is_untyped: bool, max_bytes: int) -> None:
        self._column = column
        self._may_be_integer = is_untyped
        self._max_bytes = max_bytes
        self._keys: list[IntArray] = []
        self._type: ValueType | None = None
        self._n_rows = 0
        self.width = 1
        """Bytes of the longest text."""

    def add(self, column: pa.Array) -> None:
        """See the ids of one batch."""
        column = plain(column, self._column)
        if is_text(column.type):
            self._add_texts(column)
        else:
            held = integers(column, self._column, start=self._n_rows)
            self._refuse_nulls(held)
            self._type = ValueType.INTEGER
            self._keys.append(np.asarray(held.to_numpy(zero_copy_only=False), dtype=np.int64))
        self._n_rows += len(column)

    @property
    def value_type(self) -> ValueType:
        """Type in which the ids are kept."""
        if self._type is ValueType.TEXT and self._may_be_integer:
            return ValueType.INTEGER
        return self._type or ValueType.TEXT

    def check(self, again: Iterable[pa.Array]) -> None:
        """Raise ``DuplicateIdsError`` where an id is there twice; ``again`` is a second pass."""
        keys = np.concatenate(self._keys) if self._keys else np.zeros(0, np.int64)
        self._keys.clear()
        keys.sort()
        suspects = np.unique(keys[1:][keys[1:] == keys[:-1]])
        if not len(suspects):
            return
        # Texts were compared by their hash: look at the few with equal hashes themselves.
        wanted = set(suspects[:_MAX_SUSPECTS].tolist())
        first_row: dict[object, int] = {}
        row = 0
        for column in again:
            for key, value in self._keyed(column):
                row += 1
                if key in wanted and (before := first_row.setdefault(value, row)) != row:
                    raise self._duplicate(before, row, len(suspects))

    def _keyed(self, column: pa.Array) -> Iterator[tuple[int, object]]:
        """Keys and values of the ids of one batch."""
        column = plain(column, self._column)
        if is_text(column.type):
            values = labels(column, self._column, max_bytes=self._max_bytes).to_pylist()
            return ((hash(text), text) for text in values)
        held = integers(column, self._column).to_pylist()
        return ((value, value) for value in held)

    def _add_texts(self, column: pa.Array) -> None:
        column = labels(column, self._column, max_bytes=self._max_bytes, start=self._n_rows)
        self._refuse_nulls(column)
        self._refuse_lost_digits(column)
        self._type = ValueType.TEXT
        self.width = max(self.width, pc.max(pc.binary_length(column)).as_py() or 0)
        if self._may_be_integer:
            self._may_be_integer = reads_as_integers(column)
        if self._may_be_integer:
            integers(column, self._column, start=self._n_rows)
        self._keys.append(np.array([hash(text) for text in column.to_pylist()], dtype=np.int64))

    def _refuse_lost_digits(self, column: pa.Array) -> None:
        is_lost = pc.match_substring_regex(column, _LOST_DIGITS)
        if pc.any(is_lost).as_py():
            row = self._n_rows + pc.index(is_lost, True).as_py() + 1
            raise BadTextError(
                f"The id column {shown(self._column)} was written as floating-point numbers, the "
                f"first in row {row:,}: the last digits of its ids are lost. Write the ids as "
                "integers or text, or map 'id' to null to number the rows.",
                where=self._column,
                mapping={"id": None},
            )

    def _refuse_nulls(self, column: pa.Array) -> None:
        if column.null_count:
            row = self._n_rows + pc.index(column.is_null(), True).as_py() + 1
            raise MissingIdsError(
                f"The id column {shown(self._column)} has rows without an id, the first is row "
                f"{row:,}; give every galaxy one.",
                where=self._column,
            )

    def _duplicate(self, before: int, row: int, count: int) -> DuplicateIdsError:
        return DuplicateIdsError(
            f"{count:,} ids in {shown(self._column)} are there more than once, the first in rows "
            f"{before:,} and {row:,}; ids must be unique.",
            where=self._column,
        )
