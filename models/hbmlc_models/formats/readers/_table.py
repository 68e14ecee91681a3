"""What every reader offers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from hbmlc_models.formats.findings import Finding

__all__ = ["SourceColumn", "SourceTable", "TableChoice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceColumn:
    """What a file says of one of its columns."""

    unit: str | None = None
    """Unit as the file spells it."""
    description: str | None = None
    """Free text."""
    n_elements: int | None = None
    """Values a row of a vector column, each asked for as ``NAME[0]``; ``None``: one value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChoice:
    """Which of several tables in a file is the catalogue."""

    rank: Callable[[Collection[str]], tuple[int, ...]]
    """How much column names look like a catalogue of galaxies; the largest wins, then rows."""
    table: str | int | None = None
    """Name or number that the caller gave: HDU, TABLE or group."""


class SourceTable(Protocol):
    """An open table that hands out its rows, in file order, as often as asked."""

    @property
    def columns(self) -> Mapping[str, SourceColumn]:
        """Columns in file order, without those whose name is there twice."""
        ...

    @property
    def doubles(self) -> Collection[str]:
        """Names that several columns have; they cannot be asked for."""
        ...

    @property
    def findings(self) -> Sequence[Finding]:
        """What was noticed on the way to the rows."""
        ...

    @property
    def n_rows(self) -> int | None:
        """Number of rows where the file says so without being read in full."""
        ...

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns``, elements of vectors among them, in batches of at most ``size``.

        Damage raises ``FileError``.
        """
        ...

    def close(self) -> None:
        """Close the file."""
        ...
