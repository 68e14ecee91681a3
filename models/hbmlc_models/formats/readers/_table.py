"""What every reader offers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from hbmlc_models.formats.errors import MappingInvalidError
from hbmlc_models.formats.shown import shown

__all__ = ["SourceTable", "refuse_doubles"]


class SourceTable(Protocol):
    """An open table that hands out its rows, in file order, as often as asked."""

    @property
    def units(self) -> Mapping[str, str | None]:
        """Names of the scalar columns in file order, with their units where the file has them."""
        ...

    @property
    def n_rows(self) -> int | None:
        """Number of rows where the file says so without being read in full."""
        ...

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches of at most ``size``; damage raises ``FileError``."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def refuse_doubles(names: Sequence[str]) -> None:
    """Raise where two columns have the same name."""
    double = next((name for name, count in Counter(names).items() if count > 1), None)
    if double is not None:
        raise MappingInvalidError(
            f"The column {shown(double)} is there twice; rename one.", where=double
        )
