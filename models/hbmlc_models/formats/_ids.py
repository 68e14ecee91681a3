"""Ids of an upload, checked in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import numpy as np
import pyarrow as pa

from hbmlc_models.arrays import IntArray
from hbmlc_models.formats._columns import integers, is_text, plain, texts
from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.errors import (
    DuplicateIdsError,
    IntegerOverflowError,
    MappingInvalidError,
    MissingIdsError,
)

__all__ = ["IdCheck", "ValueType", "reads_as_integers"]

_CANONICAL_INTEGER = r"^(0|-?[1-9][0-9]*)$"
"""Text that an integer prints as; "007" is a name and stays text."""


class ValueType(StrEnum):
    """How ids and tiles are kept."""

    INTEGER = "int64"
    TEXT = "string"


def reads_as_integers(column: pa.Array) -> bool:
    """Whether every text is the usual form of an integer."""
    matches = pc.match_substring_regex(column, _CANONICAL_INTEGER)
    return bool(pc.all(matches, min_count=0).as_py())


class IdCheck:
    """Sees every id once; afterwards knows their type, their length and that they are unique."""

    def __init__(self, column: str, *, is_untyped: bool, max_bytes: int) -> None:
        self._column = column
        self._may_be_integer = is_untyped
        self._max_bytes = max_bytes
        self._keys: list[IntArray] = []
        self._type: ValueType | None = None
        self.width = 1
        """Bytes of the longest text."""

    def add(self, column: pa.Array) -> None:
        """See the ids of one batch."""
        column = plain(column)
        if is_text(column.type):
            self._add_texts(texts(column))
            return
        held = integers(column, self._column)
        self._refuse_nulls(held)
        self._type = ValueType.INTEGER
        self._keys.append(np.asarray(held.to_numpy(zero_copy_only=False), dtype=np.int64))

    @property
    def value_type(self) -> ValueType:
        """Type in which the ids are kept."""
        if self._type is ValueType.TEXT and self._may_be_integer:
            return ValueType.INTEGER
        return self._type or ValueType.TEXT

    def check(self, again: Iterable[pa.Array]) -> None:
        """Raise ``DuplicateIdsError`` where an id is there twice; ``again`` is a second pass."""
        keys = np.concatenate(self._keys) if self._keys else np.zeros(0, np.int64)
        self._keys = []
        keys.sort()
        suspects = np.unique(keys[1:][keys[1:] == keys[:-1]])
        if not len(suspects):
            return
        if self._type is ValueType.INTEGER:
            raise self._duplicate(str(suspects[0]), len(suspects))
        # Texts were compared by their hash: look at the few with equal hashes themselves.
        wanted = set(suspects.tolist())
        seen: Counter[str] = Counter()
        for column in again:
            values = texts(column).to_pylist()
            seen.update(text for text in values if hash(text) in wanted)
        doubles = sorted(text for text, count in seen.items() if count > 1)
        if doubles:
            raise self._duplicate(doubles[0], len(doubles))

    def _add_texts(self, column: pa.Array) -> None:
        self._refuse_nulls(column)
        self._type = ValueType.TEXT
        width = pc.max(pc.binary_length(column)).as_py() or 0
        if width > self._max_bytes:
            raise MappingInvalidError(
                f"An id in {self._column!r} has {width} bytes, the limit is {self._max_bytes}; map "
                "another column.",
                where=self._column,
            )
        self.width = max(self.width, width)
        if self._may_be_integer:
            self._may_be_integer = reads_as_integers(column)
        if self._may_be_integer:
            try:
                column.cast(pa.int64())
            except pa.ArrowInvalid as error:
                raise IntegerOverflowError(
                    f"An id in {self._column!r} is beyond 64 bits with sign: {error}; put a letter "
                    "before the ids to make them text.",
                    where=self._column,
                ) from error
        self._keys.append(np.array([hash(text) for text in column.to_pylist()], dtype=np.int64))

    def _refuse_nulls(self, column: pa.Array) -> None:
        if column.null_count:
            raise MissingIdsError(
                f"The id column {self._column!r} has rows without an id; give every galaxy one.",
                where=self._column,
            )

    def _duplicate(self, example: str, count: int) -> DuplicateIdsError:
        return DuplicateIdsError(
            f"{count:,} ids in {self._column!r} are there more than once, the first is {example}; "
            "ids must be unique.",
            where=f"{self._column}={example}",
        )
